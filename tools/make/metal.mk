# SPDX-License-Identifier: Apache-2.0
# The hypervisor itself. All of src/ is compiled for metal and linked twice: once to learn the
# function addresses, once with the table of their names in it (panic backtraces). The result,
# krypton-syms, becomes a flat image that is wrapped into an ELF32 file, which is what boot loaders
# take: head.S works at any 2 MiB boundary below 4 GiB, so nothing is relocated.

M := $(B)/metal
IMAGE_DIR := src/arch/x86/boot/image
METAL_SRC := $(sort $(shell find src -name '*.c' -o -name '*.S' -not -path '$(IMAGE_DIR)/*'))
METAL_OBJ := $(patsubst %,$(M)/%.o,$(basename $(METAL_SRC))) $(B)/gen/loader_blob.o
METAL_LDFLAGS := -m elf_x86_64 -nostdlib -static --build-id=none --gc-sections -z noexecstack \
	-z max-page-size=4096 --orphan-handling=error --no-warn-rwx-segments

$(M)/%.o: %.c | $(ABI_INCLUDE)/xen $(B)/gen/loader_blob.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(METAL_CFLAGS) -MMD -MP -c $< -o $@

$(M)/%.o: %.S
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(METAL_ASFLAGS) -MMD -MP -c $< -o $@

METAL_ASFLAGS = -m64 -g -ffile-prefix-map=$(CURDIR)/= -D__ASSEMBLY__ -Isrc -Iport/metal -I$(B)
METAL_LDS := src/arch/x86/boot/krypton.lds

$(M)/symbols0.S:
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/gen-symbols.py </dev/null >$@

$(M)/krypton.0: $(METAL_OBJ) $(M)/symbols0.o $(METAL_LDS)
	$(Q)$(LD) $(METAL_LDFLAGS) -T $(METAL_LDS) $(METAL_OBJ) $(M)/symbols0.o -o $@

$(M)/symbols.S: $(M)/krypton.0 tools/gen-symbols.py
	$(Q)nm -n $< | $(PYTHON) tools/gen-symbols.py >$@

$(M)/%.o: $(M)/%.S
	$(Q)$(CC) $(METAL_ASFLAGS) -c $< -o $@

$(B)/krypton-syms: $(METAL_OBJ) $(M)/symbols.o $(METAL_LDS)
	$(call say,LD,$@)
	$(Q)$(LD) $(METAL_LDFLAGS) -T $(METAL_LDS) $(METAL_OBJ) $(M)/symbols.o -o $@
	$(Q)size $@ | awk 'NR == 2 {printf "  %-7s text %d, data %d, bss %d bytes\n", "SIZE", $$1, $$2, $$3}'

$(M)/krypton.bin: $(B)/krypton-syms
	$(Q)$(OBJCOPY) -O binary $< $@

$(B)/krypton: $(M)/krypton.bin $(wildcard $(IMAGE_DIR)/*)
	$(call say,IMAGE,$@)
	$(Q)$(CC) -m32 -c -I$(M) $(IMAGE_DIR)/wrap.S -o $(M)/wrap.o
	$(Q)$(LD) -m elf_i386 --build-id=none -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments --defsym=image_bytes=0x$$(nm $(B)/krypton-syms | \
		sed -n 's/ A image_bytes$$//p') -T $(IMAGE_DIR)/wrap.lds $(M)/wrap.o -o $@

$(B)/krypton.gz: $(B)/krypton
	$(Q)gzip -9nc $< >$@

-include $(METAL_OBJ:.o=.d)
