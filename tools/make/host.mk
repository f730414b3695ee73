# SPDX-License-Identifier: Apache-2.0
# libkrypton-host: the sources that need no privileged CPU, as an ordinary library with ASan and
# UBSan, port/host in place of port/metal. Everything under src/ belongs to it unless it is listed
# here; a new file is picked up by itself. HOST_EXTRA brings single files of the excluded folders
# back (HOST_EXTRA += src/arch/x86/svm/exitmap.c), HOST_SKIP takes single files out; set both in
# this file.

HOST_EXTRA := $(LOADER_HOST_SRC) src/arch/x86/svm/exitmap.c src/arch/x86/svm/audit.c
# drivers of the real machine's devices
HOST_SKIP := src/lib/string.c src/boot/build.c src/boot/supervise.c src/boot/terminal.c $(patsubst %,src/host/%.c,console irq power time uart vga)

HOST_METAL_ONLY := $(foreach d,cpu host boot svm vmx,src/arch/x86/$(d)/%) src/boot/main%
HOST_SRC := $(sort $(filter-out $(HOST_METAL_ONLY) $(HOST_SKIP),$(shell find src -name '*.c')) \
	$(HOST_EXTRA) $(wildcard port/host/*.c))

# Assertions are always on here.
HOST_DEBUG := -UKR_DEBUG -DKR_DEBUG=1

# One library per compiler and flag set: $(1) directory, $(2) compiler, $(3) further flags.
define host_library
$(1)/%.o: %.c | $$(ABI_INCLUDE)/xen
	$$(call say,HOSTCC,$$<)
	$$(Q)mkdir -p $$(@D) && $(2) $$(HOST_CFLAGS) $$(HOST_DEBUG) $(3) -MMD -MP -c $$< -o $$@

$(1)/libkrypton-host.a: $$(HOST_SRC:%.c=$(1)/%.o)
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^

-include $$(HOST_SRC:%.c=$(1)/%.d)
endef

H := build-host$(if $(findstring clang,$(HOST_CC)),-clang)
$(eval $(call host_library,$(H),$(HOST_CC),))

.PHONY: libkrypton-host
libkrypton-host: $(H)/libkrypton-host.a

# docs/command-line.md is made from the table of options, the tables of docs/hypercalls.md from those
# of the hypercalls.
$(H)/gen-command-line: tools/gen-command-line.c src/core/params.def src/core/param.h
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D) && $(HOST_CC) $(HOST_CFLAGS) $< -o $@

.PHONY: docs
docs: $(H)/gen-command-line $(ABI_INCLUDE)/xen
	$(call say,DOC,docs/command-line.md)
	$(Q)$< > docs/command-line.md
	$(call say,DOC,docs/hypercalls.md)
	$(Q)HOST_CFLAGS='$(HOST_CFLAGS) $(HOST_DEBUG)' $(PYTHON) tools/gen-hypercalls.py
