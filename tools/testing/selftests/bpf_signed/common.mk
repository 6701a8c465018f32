# SPDX-License-Identifier: GPL-2.0
#
# What the Makefiles here have in common. They need a patched kernel, its signing
# key, and libbpf and bpftool of the same tree:
#
#	make KDIR=... VMLINUX_BTF=... BPFTOOL=... LIBBPF=... LIBBPF_INCLUDE=...
#	     SIGNING_KEY=... SIGNING_CERT=... [OUTPUT=...]
#
# By default all of it is sought in the tree that this directory is in.

here := $(dir $(lastword $(MAKEFILE_LIST)))
top_srcdir ?= $(abspath $(here)../../../..)
OUTPUT ?= $(CURDIR)
KDIR ?= $(top_srcdir)
VMLINUX_BTF ?= $(KDIR)/vmlinux
BPFTOOL ?= $(top_srcdir)/tools/bpf/bpftool/bpftool
LIBBPF ?= $(top_srcdir)/tools/lib/bpf/libbpf.a
LIBBPF_INCLUDE ?= $(top_srcdir)/tools/lib
SIGNING_KEY ?= $(KDIR)/certs/signing_key.pem
SIGNING_CERT ?= $(KDIR)/certs/signing_key.x509
CLANG ?= clang

SRCARCH := $(patsubst x86_64,x86,$(shell uname -m))

all:

$(OUTPUT):
	mkdir -p $@

$(OUTPUT)/vmlinux.h: $(VMLINUX_BTF) | $(OUTPUT)
	$(BPFTOOL) btf dump file $< format c >$@.tmp
	@# an unchanged header saves all programs the compiler
	cmp -s $@.tmp $@ && rm $@.tmp && touch $@ || mv $@.tmp $@

.PHONY: all
