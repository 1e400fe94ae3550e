/* SPDX-License-Identifier: MIT */
/* A tree in the forms that code_parse offers. All three walk without recursion, so that depth costs
 * memory and not stack. */
#ifndef TRP_ACTORS_PARSER_WRITE_H
#define TRP_ACTORS_PARSER_WRITE_H

#include "actors/parser/parser_grammar.h"
#include "actors/parser/parser_text.h"
#include "messages/parser.h"

/** What of the tree is shown, and how. */
typedef struct parser_form {
    code_parse_format_t format;
    int64_t depth_max; /* nodes deeper below the root are cut */
    int64_t nodes_max; /* nodes after so many, in order of the text, are cut */
    bool named_only;   /* json: leave out anonymous nodes */
    bool include_text; /* the source text of nodes without children (outline: ignored) */
    bool ranges;       /* start and end of each node */
    size_t size_max;   /* bytes of the result */
    const parser_limits_t *limits; /* whose stop is asked while writing; NULL: none */
} parser_form_t;

#define PARSER_STEPS 1024 /* between two questions whether to stop */

/** Whether a writer should give up, to be asked once a node. */
static inline bool parser_form_is_over(const parser_form_t *form, uint32_t *steps)
{
    return ++*steps % PARSER_STEPS == 0 && form->limits != NULL && form->limits->stop != NULL &&
           form->limits->stop(form->limits->arg);
}

/** The s-expression, byte for byte as ts_node_string prints it unless the form cuts or adds.
 * With ranges: ` [row, column] - [row, column]` behind the type; with text: quoted behind it.
 * errors: TRP_TOO_LARGE, TRP_TIMEOUT, TRP_NO_MEMORY; as in the text's status */
TRP_MUST_USE trp_status_t parser_write_sexp(const TSTree *tree, trp_text_t code,
                                            const parser_form_t *form, parser_text_t *text,
                                            bool *truncated);

/** One node and all below it as one MessagePack map:
 * shape: {t: type, n?: field, s?: [row, column, byte], e?: [...], text?, missing?: true, c: [...]}
 * errors: TRP_TOO_LARGE, TRP_TIMEOUT, TRP_NO_MEMORY */
TRP_MUST_USE trp_status_t parser_write_json(const TSTree *tree, trp_text_t code,
                                            const parser_form_t *form, trp_writer_t *writer,
                                            bool *truncated);

/** What the text declares, one to a line, indented by nesting: `type name row:column-row:column`.
 * errors: TRP_TOO_LARGE, TRP_TIMEOUT, TRP_NO_MEMORY; as in the text's status */
TRP_MUST_USE trp_status_t parser_write_outline(const TSTree *tree, trp_text_t code,
                                               const parser_form_t *form, parser_text_t *text,
                                               bool *truncated);

#endif
