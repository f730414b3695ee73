# SPDX-License-Identifier: Apache-2.0
# Host tests.
#   make unit              builds and runs tests/unit/*_test.c; ONLY=acpi runs the matching ones
#   make corpora           replays tests/fuzz/corpus/<name>/ through each tests/fuzz/fz_<name>.c
#   make fuzz              fuzzes each target for FUZZ_SECONDS (default 60); ONLY= as above
# A line `LIBS: -lfoo` in a test's head comment adds to its link line. Other .mk files may add test
# programs, or targets that must succeed first, to UNIT_TARGETS.

TEST_CFLAGS = $(HOST_CFLAGS) $(HOST_DEBUG) -Itests -Wno-conversion -Wno-sign-conversion \
	-Wno-unused-parameter
test_libs = $(shell sed -n 's/.*LIBS: *\([^*]*\).*/\1/p' $(1) | head -1)

only = $(if $(ONLY),$(foreach t,$(1),$(if $(findstring $(ONLY),$(t)),$(t))),$(1))

UNIT_TESTS := $(patsubst %.c,$(H)/%,$(wildcard tests/unit/*_test.c))
REPLAYS := $(patsubst %.c,$(H)/%,$(wildcard tests/fuzz/fz_*.c))
FUZZERS := $(patsubst %.c,build-fuzz/%,$(wildcard tests/fuzz/fz_*.c))

$(H)/tests/unit/%: tests/unit/%.c $(H)/libkrypton-host.a
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D) && $(HOST_CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -MT $@ $< \
		$(H)/libkrypton-host.a $(call test_libs,$<) -lcmocka -o $@

$(H)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(H)/libkrypton-host.a
	$(call say,REPLAY,$<)
	$(Q)mkdir -p $(@D) && $(HOST_CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -MT $@ $< \
		tests/fuzz/replay.c $(H)/libkrypton-host.a $(call test_libs,$<) -o $@

# This one runs the image.
$(H)/tests/unit/loader_image_test: $(B)/gen/loader_blob.h $(B)/gen/loader_blob.o
$(H)/tests/unit/loader_image_test: TEST_CFLAGS += $(B)/gen/loader_blob.o

-include $(UNIT_TESTS:%=%.d) $(REPLAYS:%=%.d) $(FUZZERS:%=%.d)

.SECONDEXPANSION:
.PHONY: unit corpora fuzz
unit: $(call only,$(UNIT_TESTS)) $$(UNIT_TARGETS)
	$(Q)$(PYTHON) tools/check/run-unit.py $(if $(ONLY),--only $(ONLY)) $(UNIT_TESTS) $(UNIT_TARGETS)

corpora: $(call only,$(REPLAYS))
	$(Q)$(PYTHON) tools/check/run-unit.py --corpora $(if $(ONLY),--only $(ONLY)) $(REPLAYS)

FUZZ_CC := clang
FUZZ_FLAGS := -fsanitize=fuzzer-no-link
FUZZ_SECONDS ?= 60
$(eval $(call host_library,build-fuzz,$(FUZZ_CC),$(FUZZ_FLAGS)))

build-fuzz/tests/fuzz/%: tests/fuzz/%.c build-fuzz/libkrypton-host.a
	$(call say,FUZZER,$<)
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) $(TEST_CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ \
		$< build-fuzz/libkrypton-host.a $(call test_libs,$<) -o $@

# New inputs are collected in build-fuzz/corpus; copy the few that matter into tests/fuzz/corpus.
fuzz: $(call only,$(FUZZERS))
	$(Q)$(PYTHON) tools/check/run-unit.py --fuzz $(FUZZ_SECONDS) $(if $(ONLY),--only $(ONLY)) \
		$(FUZZERS)
