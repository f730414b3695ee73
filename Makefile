# SPDX-License-Identifier: Apache-2.0
# Krypton's only build file; there is no configure step.
#   make            build/krypton, build/krypton.gz, build/krypton-syms
#   make CC=clang   the same with clang        make DEBUG=1   assertions, audits, lock ranks
#   make unit       unit tests on the host     make check     all static checks
# Sources are found by folder; the rules for each floor are in ARCHITECTURE.md.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
LD := ld
OBJCOPY := objcopy
PYTHON := python3
DEBUG ?= 0
ifeq ($(DEBUG),1)
B ?= build-debug
else
B ?= build
endif
Q := $(if $(V),,@)
say = @printf '  %-7s %s\n' $(1) $(2)

.PHONY: all
all: $(B)/krypton $(B)/krypton.gz $(B)/krypton-syms

include tools/make/flags.mk
include tools/make/metal.mk
include tools/make/loader.mk
include tools/make/guests.mk
include tools/make/host.mk
include tools/make/tests.mk
include tools/make/check.mk
include tools/make/run.mk

.PHONY: clean
clean:
	rm -rf build build-*
