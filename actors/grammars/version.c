/* SPDX-License-Identifier: MIT */
/* Linked into each grammar's shared object: the version of the package that it was built from,
 * which grammars of ABI 14 do not carry themselves. */
__attribute__((visibility("default"))) extern const char trp_grammar_version[];
const char trp_grammar_version[] = TRP_GRAMMAR_VERSION;
