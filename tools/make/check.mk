# SPDX-License-Identifier: Apache-2.0
# Static checks.
#   make check             all of them; CHECK="floors tidy" runs the named ones
#   make check-selftest    proves on a bad tree that each check can fail
#   make format            formats the C files

CHECK ?=
check_env = METAL_CFLAGS='$(METAL_CFLAGS)' HOST_CFLAGS='$(HOST_CFLAGS) $(HOST_DEBUG)' \
	HOST_SRC='$(HOST_SRC)' GEN_COMMAND_LINE='$(H)/gen-command-line'

.PHONY: check check-selftest format
check: $(H)/gen-command-line $(ABI_INCLUDE)/xen
	$(Q)$(check_env) $(PYTHON) tools/check/check.py $(CHECK)

check-selftest:
	$(Q)METAL_CFLAGS='-Isrc' HOST_CFLAGS='-Isrc' $(PYTHON) tools/check/check.py --selftest

format:
	$(Q)find src port inside tests tools bench -name '*.[ch]' -not -path 'tests/check/*' \
		2>/dev/null | xargs clang-format -i
