# SPDX-License-Identifier: Apache-2.0
# What a user runs.
#   make setup        installs the packages for run and test (apt; root)      make doctor   says what is missing
#   make run          two Debian guests under QEMU; </dev/null: a demonstration that ends by itself
#   make debug        the same, stopped at the start, with gdb attached
#   make test         everything but the whole matrix      make test-quick   a few minutes      make test-full   all
#   make system ONLY=pattern                               system tests by name
#   make bench        instructions per operation           make iso          build/krypton.iso: GRUB, two guests

SYSTEM := $(PYTHON) tests/system/run.py --krypton $(B)/krypton --guests $(B)/guests
# A build of its own after setup; on all CPUs unless -j was given.
SUBMAKE = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
HOST_PARTS = unit='$(SUBMAKE) unit' corpora='$(SUBMAKE) corpora' \
	harness='$(PYTHON) tests/system/selftest.py'

.PHONY: setup doctor run debug iso system test test-quick test-full bench
setup:
	$(Q)tools/setup test

doctor:
	$(Q)tools/doctor

run:
	$(Q)tools/setup run
	$(Q)$(SUBMAKE) all
	$(Q)$(PYTHON) tools/run --krypton $(B)/krypton

debug:
	$(Q)tools/setup check
	$(Q)$(SUBMAKE) all
	$(Q)$(PYTHON) tools/debug $(B)

iso: all
	$(Q)$(PYTHON) tools/run --krypton $(B)/krypton --iso $(B)/krypton.iso

system: all guests
	$(Q)$(SYSTEM) $(ONLY)

test test-full:
	$(Q)tools/setup test
	$(Q)$(SUBMAKE) all guests
	$(Q)$(PYTHON) tools/test-all $(HOST_PARTS) system='$(SYSTEM)$(if $(filter test-full,$@), --full)'

test-quick:
	$(Q)tools/setup test
	$(Q)$(SUBMAKE) all guests
	$(Q)$(PYTHON) tools/test-all $(HOST_PARTS) system='$(SYSTEM) metal life'

bench:
	$(Q)tools/setup run
	$(Q)$(SUBMAKE) all guests
	$(Q)$(PYTHON) tools/bench $(B)
