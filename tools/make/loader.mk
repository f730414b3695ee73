# SPDX-License-Identifier: Apache-2.0
# The loader that runs inside a guest (inside/loader): its image, and the two files through which
# the hypervisor carries it, $(B)/gen/loader_blob.h and $(B)/gen/loader_blob.o (loader_image[]).

LOADER_SRC := $(wildcard inside/loader/*.c)
LOADER_OBJ := $(LOADER_SRC:%.c=$(B)/%.o) $(B)/inside/loader/entry.o
LOADER_LIBS = $(foreach l,lzma zstd z,$(shell $(CC) -print-file-name=lib$(l).a))

# The sources that know no privileged instruction and stand in for no library belong to
# libkrypton-host.
LOADER_HOST_SRC := $(filter-out %/main.c %/runtime.c %/crc.c,$(LOADER_SRC))

METAL_CFLAGS += -Iinside -I$(B)/gen
HOST_CFLAGS += -Iinside -I$(B)/gen

# SSE2 is there (entry.S sees to it); RAM at address 0 is as good as any other.
LOADER_CFLAGS = $(COMMON) -Os -m64 -march=x86-64 -ffreestanding -fPIE -ffunction-sections \
	-fdata-sections -fno-asynchronous-unwind-tables -fcf-protection=none -fstack-protector-strong \
	-fno-delete-null-pointer-checks -Iinside/loader -Isrc

# libzstd's decoder mentions these formats older than zstd 0.8, and tracing; they are not linked.
LOADER_LEGACY := $(foreach v,v05 v06 v07,$(foreach f,createDCtx freeDCtx decompress_usingDict \
	findFrameSizeInfoLegacy getFrameParams,ZSTD$(v)_$(f)) $(foreach f,createDCtx freeDCtx \
	decompressContinue decompressInitDictionary,ZBUFF$(v)_$(f))) ZSTD_trace_decompress_end

$(B)/inside/loader/%.o: inside/loader/%.c
	$(call say,INSIDE,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(B)/inside/loader/%.o: inside/loader/%.S
	$(call say,INSIDE,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(B)/loader.elf: $(LOADER_OBJ) inside/loader/loader.lds
	$(call say,LD,$@)
	$(Q)$(LD) -static -nostdlib --gc-sections --no-relax --build-id=none -z noexecstack -z max-page-size=4096 \
		--fatal-warnings -Map=$@.map -T inside/loader/loader.lds \
		$(LOADER_LEGACY:%=--defsym=%=loader_unused) \
		--defsym=ZSTD_trace_decompress_begin=loader_untraced -o $@ $(LOADER_OBJ) $(LOADER_LIBS)

$(B)/loader.bin: $(B)/loader.elf
	$(Q)$(OBJCOPY) -O binary $< $@

$(B)/gen/loader_blob.h: $(B)/loader.elf $(B)/loader.bin tools/make/loader-blob.py
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/make/loader-blob.py $(wordlist 1,2,$^) > $@.tmp && mv $@.tmp $@

$(B)/gen/loader_blob.o: $(B)/loader.bin
	$(Q)mkdir -p $(@D) && printf '%s\n' '.section .rodata.loader,"a"' '.balign 4096' \
		'.globl loader_image' 'loader_image: .incbin "$<"' '.section .note.GNU-stack,"",@progbits' \
		| $(CC) -x assembler -c - -o $@

.PHONY: loader
loader: $(B)/loader.bin $(B)/gen/loader_blob.h $(B)/gen/loader_blob.o

-include $(LOADER_OBJ:.o=.d)
