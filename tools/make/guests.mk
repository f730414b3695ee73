# SPDX-License-Identifier: Apache-2.0
# Bare-metal test guests: every folder of tests/guests/ with a main.c becomes $(B)/guests/<folder>.
#   make guests            builds them and the benchmark guest ($(B)/guests/bench)
# A name that ends in 32 is a 32-bit guest; it also gets the files, but main.c, of the folder of the
# same name without 32. A line `LINK: 0x...` in main.c's head comment is the
# address it is linked at, 1 MiB without one.

GUEST_LIB := tests/guests/lib
GUEST_NAMES := $(filter-out lib,$(patsubst tests/guests/%/main.c,%,$(wildcard tests/guests/*/main.c)))
GUESTS := $(GUEST_NAMES:%=$(B)/guests/%)

GUEST_CFLAGS = $(COMMON) -O2 -march=x86-64 -mno-red-zone -mgeneral-regs-only -fno-pic -fno-pie \
	-ffreestanding -fno-jump-tables -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-stack-protector -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-isystem $(ABI_INCLUDE) -Isrc -I$(GUEST_LIB)
GUEST_CFLAGS64 = -m64 -mcmodel=small -I$(GUEST_LIB)/x64
GUEST_CFLAGS32 = -m32 -march=i686 -I$(GUEST_LIB)/x32
GUEST_LD64 := -m elf_x86_64 -z max-page-size=4096
GUEST_LD32 := -m elf_i386

guest_base = $(or $(shell sed -n 's/.*LINK: *\(0x[0-9a-f]*\).*/\1/p' $(1) | head -1),0x100000)
guest_lib_objects = $(patsubst %,$(B)/guests/obj$(1)/%.o,$(basename \
	$(wildcard $(GUEST_LIB)/*.c $(GUEST_LIB)/x$(1)/*.c $(GUEST_LIB)/x$(1)/*.S)))

# $(1): 64 or 32
define guest_width
$(B)/guests/obj$(1)/%.o: %.c | $$(ABI_INCLUDE)/xen
	$$(call say,GUESTCC,$$<)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(GUEST_CFLAGS) $$(GUEST_CFLAGS$(1)) \
		-DGUEST_FOLDER='"$$(notdir $$(patsubst %/,%,$$(dir $$<)))"' -MMD -MP -c $$< -o $$@

$(B)/guests/obj$(1)/%.o: %.S
	$$(call say,GUESTAS,$$<)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(GUEST_CFLAGS) $$(GUEST_CFLAGS$(1)) -MMD -MP -c $$< -o $$@

GUEST_OBJ$(1) := $$(call guest_lib_objects,$(1))
-include $$(GUEST_OBJ$(1):.o=.d)
endef
$(eval $(call guest_width,64))
$(eval $(call guest_width,32))

guest_sources = $(wildcard $(1)/*.c) \
	$(if $(filter %32,$(1)),$(filter-out %/main.c,$(wildcard $(1:%32=%)/*.c)))

# $(1): output name, $(2): folder, $(3): width
define guest_link
-include $$(patsubst %.c,$(B)/guests/obj$(3)/%.d,$$(call guest_sources,$(2)))
$(B)/guests/$(1): $$(patsubst %.c,$(B)/guests/obj$(3)/%.o,$$(call guest_sources,$(2))) \
		$$(GUEST_OBJ$(3)) $(GUEST_LIB)/link.ld
	$$(call say,GUEST,$$@)
	$$(Q)$$(LD) $$(GUEST_LD$(3)) --build-id=none -T $(GUEST_LIB)/link.ld \
		--defsym=GUEST_BASE=$$(call guest_base,$(2)/main.c) -o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(GUEST_NAMES),$(eval $(call guest_link,$(g),tests/guests/$(g),$(if $(filter %32,$(g)),32,64))))
$(if $(wildcard bench/main.c),$(eval $(call guest_link,bench,bench,64)))

.PHONY: guests
guests: $(GUESTS) $(if $(wildcard bench/main.c),$(B)/guests/bench)
