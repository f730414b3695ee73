# SPDX-License-Identifier: Apache-2.0
# Compiler flags: warnings for every build, and the sets for metal and for the host.

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wmissing-prototypes \
	-Wstrict-prototypes -Wconversion -Wsign-conversion

COMMON := -std=gnu11 -g -fno-strict-aliasing -fno-common -fno-omit-frame-pointer \
	-ffile-prefix-map=$(CURDIR)/= -DKR_DEBUG=$(DEBUG) $(WARNINGS)

# <xen/...> and nothing else of the system's headers.
ABI_INCLUDE := $(B)/include
$(ABI_INCLUDE)/xen:
	$(Q)mkdir -p $(@D) && ln -sfn /usr/include/xen $@

METAL_CFLAGS = $(COMMON) -O2 -m64 -march=x86-64 -mno-red-zone -mgeneral-regs-only \
	-mcmodel=kernel -fno-pic -fno-pie -ffreestanding -fno-jump-tables \
	-fno-asynchronous-unwind-tables -fcf-protection=none -ffunction-sections -fdata-sections \
	-fstack-protector-strong -mstack-protector-guard=global \
	-nostdinc -isystem $(shell $(CC) -print-file-name=include) -isystem $(ABI_INCLUDE) \
	-Isrc -Iport/metal

HOST_CC := $(CC)
HOST_CFLAGS = $(COMMON) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-DKR_HOST=1 -isystem $(ABI_INCLUDE) -Isrc -Iport/host
