#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The same, with unsigned programs refused, and nothing granted to signed ones but
# what is plain.
#
# APPEND: lockdown=integrity bpf_lockdown=signed bpf_lockdown_ceiling=none
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 3600
# NIGHTLY: yes

. "$(dirname "$0")/common.sh"
run_tests "ways/ways --verdicts integrity/signed/unsigned" \
	"ways/ways --verdicts integrity/signed/signed" \
	"ways/ways --verdicts confidentiality/signed/unsigned" \
	"ways/ways --verdicts confidentiality/signed/signed" \
	"ways/ways --verdicts confidentiality/signed/annotated --ceiling none"
