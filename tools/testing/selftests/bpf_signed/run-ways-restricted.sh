#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The same under lockdown: unsigned programs confined, signed ones granted all that
# their annotation asks for.
#
# APPEND: lockdown=integrity bpf_lockdown=restricted bpf_lockdown_ceiling=user-read,user-write,control,kernel-read,kernel-address,fields,loader
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 3600

. "$(dirname "$0")/common.sh"
integrity=integrity/restricted
confidentiality=confidentiality/restricted
run_tests "ways/ways --verdicts $integrity/unsigned" \
	"ways/useful" \
	"ways/ways --verdicts $confidentiality/signed" \
	"ways/ways --verdicts $confidentiality/annotated" \
	"ways/useful"
