#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The same, with unsigned programs recorded rather than refused, and few classes
# granted to signed ones, whatever their annotations ask for.
#
# APPEND: lockdown=integrity bpf_lockdown=audit bpf_lockdown_ceiling=user-read,fields
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 3600
# NIGHTLY: yes

. "$(dirname "$0")/common.sh"
ceiling="--ceiling user-read,fields"
run_tests "ways/ways --verdicts integrity/audit/unsigned" \
	"ways/ways --verdicts integrity/audit/annotated $ceiling" \
	"ways/ways --verdicts confidentiality/audit/unsigned" \
	"ways/ways --verdicts confidentiality/audit/annotated $ceiling" \
	"ways/useful"
