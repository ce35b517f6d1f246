/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_query_fields.h"

#include "api/api_member.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "model/corpus.h"

enum { LIMIT_DEFAULT = 10, KEY_BYTES_MAX = 300, DIMENSIONS_BYTES_MAX = 4096 };

#define QUERY_BYTES_MAX ((size_t)4 * QUERY_CHARACTERS_MAX)

static const struct api_range limit_range = {1, DOCUMENTS_HITS_MAX, LIMIT_DEFAULT};
static const struct api_range offset_range = {0, DOCUMENTS_OFFSET_MAX, 0};

static const char no_filters[] = "is not supported by this server: it has no filter language";
static const char no_generation[] =
    "is not supported by this server: leave it out, or set enabled to false";
static const char no_stream[] = "is not supported by this server: there is nothing to stream";
static const char no_rewriting[] = "is not supported by this server";
static const char no_context[] =
    "is not supported by this server: a result is the text of its part";
static const char no_reranker[] = "must be none: this server has no reranker";

static struct span read_text(const struct api_object *object, enum api_need need)
{
    struct span text = api_member_text(object, "query", QUERY_BYTES_MAX, need);
    if (utf8_length(text) > QUERY_CHARACTERS_MAX)
        api_member_problem(object, "query", "must be at most %d characters", QUERY_CHARACTERS_MAX);
    return text;
}

/* Of one corpus. */
static void check_corpus(const struct api_object *object)
{
    const json_t *weight = api_member_get(object, "lexical_interpolation");
    double number = json_number_value(weight);
    struct span semantics = api_member_text(object, "semantics", 32, API_OPTIONAL);
    api_member_refuse(object, "metadata_filter", no_filters);
    if (weight != NULL && (!json_is_number(weight) || !(number >= 0 && number <= 1)))
        api_member_problem(object, "lexical_interpolation", "must be a number from 0 to 1");
    if (semantics.len > 0 && !span_equal(semantics, SPAN("default")) &&
        !span_equal(semantics, SPAN("query")) && !span_equal(semantics, SPAN("response")))
        api_member_problem(object, "semantics", "must be default, query or response");
    (void)api_member_numbers(object, "custom_dimensions", DIMENSIONS_BYTES_MAX);
}

static void read_corpora(const struct api_object *search, struct span text, struct api_query *query)
{
    static const char *const names[] = {"corpus_key", "metadata_filter",   "lexical_interpolation",
                                        "semantics",  "custom_dimensions", "query",
                                        NULL};
    const json_t *corpora = api_member_array(search, "corpora", DOCUMENTS_CORPORA_MAX);
    query->corpus_count = json_array_size(corpora);
    for (size_t i = 0; i < query->corpus_count; i++) {
        const struct api_object corpus = api_member_element(search, "corpora", corpora, i);
        if (corpus.json == NULL)
            continue;
        api_member_check(&corpus, names);
        check_corpus(&corpus);
        struct span own = read_text(&corpus, API_OPTIONAL);
        query->corpora[i].key = api_member_text(&corpus, "corpus_key", KEY_BYTES_MAX, API_REQUIRED);
        query->corpora[i].text = own.len > 0 ? own : text;
    }
}

static void check_reranker(const struct api_object *search)
{
    static const char *const names[] = {"type", "limit", NULL};
    const struct api_object reranker = api_member_object(search, "reranker");
    if (reranker.json == NULL)
        return;
    if (!span_equal(json_text(api_member_get(&reranker, "type")), SPAN("none"))) {
        api_member_problem(&reranker, "type", no_reranker);
        return;
    }
    api_member_check(&reranker, names);
    (void)api_member_int(&reranker, "limit", (struct api_range){1, INT32_MAX, 1});
}

static void check_context(const struct api_object *search)
{
    static const char *const names[] = {
        "sentences_before", "sentences_after", "characters_before",     "characters_after",
        "start_tag",        "end_tag",         "full_document_context", NULL};
    const struct api_object context = api_member_object(search, "context_configuration");
    if (context.json == NULL)
        return;
    api_member_check(&context, names);
    for (const char *const *name = names; *name != NULL; name++)
        api_member_refuse(&context, *name, no_context);
}

static void check_generation(const struct api_object *body)
{
    const struct api_object generation = api_member_object(body, "generation");
    if (generation.json != NULL && !json_is_false(json_object_get(generation.json, "enabled")))
        api_member_problem(body, "generation", no_generation);
}

static void read_search(const struct api_object *search, enum api_query_corpora corpora,
                        struct span text, struct api_query *query)
{
    static const char *const of_many[] = {
        "corpora", "limit", "offset", "max_by", "reranker", "context_configuration", NULL};
    static const char *const of_one[] = {"metadata_filter",
                                         "lexical_interpolation",
                                         "semantics",
                                         "custom_dimensions",
                                         "limit",
                                         "offset",
                                         "max_by",
                                         "reranker",
                                         "context_configuration",
                                         NULL};
    api_member_check(search, corpora == API_QUERY_MANY ? of_many : of_one);
    query->limit = api_member_int(search, "limit", limit_range);
    query->offset = api_member_int(search, "offset", offset_range);
    api_member_refuse(search, "max_by", "is not supported by this server");
    check_reranker(search);
    check_context(search);
    if (corpora == API_QUERY_MANY)
        read_corpora(search, text, query);
    else
        check_corpus(search);
}

enum status api_query_read(const json_t *body, enum api_query_corpora corpora, struct arena *arena,
                           struct api_query *ret_query, struct problems *problems)
{
    static const char *const names[] = {"query",
                                        "search",
                                        "generation",
                                        "stream_response",
                                        "save_history",
                                        "intelligent_query_rewriting",
                                        NULL};
    const struct api_object object = {.json = body, .arena = arena, .problems = problems};
    struct api_query query = {.corpus_count = 1};
    api_member_check(&object, names);
    struct span text = read_text(&object, API_REQUIRED);
    query.corpora[0].text = text;
    const struct api_object search = api_member_object(&object, "search");
    if (search.json == NULL && corpora == API_QUERY_MANY)
        api_member_problem(&object, "search", "is required");
    else
        read_search(&search, corpora, text, &query);
    check_generation(&object);
    api_member_refuse(&object, "stream_response", no_stream);
    api_member_refuse(&object, "intelligent_query_rewriting", no_rewriting);
    (void)api_member_bool(&object, "stream_response");
    (void)api_member_bool(&object, "save_history");
    if (problems->count > 0)
        return INVALID;
    *ret_query = query;
    return OK;
}

static int64_t form_int(const struct form *form, struct span name, struct api_range range,
                        struct problems *problems)
{
    struct span text;
    int64_t number = 0;
    enum status status = form_get(form, name, &text);
    if (status == NOT_FOUND)
        return range.fallback;
    if (status == OK && span_to_int64(text, &number) && number >= range.min && number <= range.max)
        return number;
    problems_add(problems, name, "must be a whole number from %lld to %lld, once",
                 (long long)range.min, (long long)range.max);
    return range.fallback;
}

static bool form_bool(const struct form *form, struct span name, struct problems *problems)
{
    struct span text;
    enum status status = form_get(form, name, &text);
    bool is_true = status == OK && span_equal(text, SPAN("true"));
    if (status != NOT_FOUND && !is_true && !(status == OK && span_equal(text, SPAN("false"))))
        problems_add(problems, name, "must be true or false, once");
    return is_true;
}

enum status api_query_read_form(const struct form *form, struct api_query *ret_query,
                                struct problems *problems)
{
    struct api_query query = {.corpus_count = 1};
    enum status status = form_get(form, SPAN("query"), &query.corpora[0].text);
    if (status != OK)
        problems_add(problems, SPAN("query"), "is required, once");
    else if (utf8_length(query.corpora[0].text) > QUERY_CHARACTERS_MAX)
        problems_add(problems, SPAN("query"), "must be at most %d characters",
                     QUERY_CHARACTERS_MAX);
    query.limit = form_int(form, SPAN("limit"), limit_range, problems);
    query.offset = form_int(form, SPAN("offset"), offset_range, problems);
    (void)form_bool(form, SPAN("save_history"), problems);
    if (form_bool(form, SPAN("intelligent_query_rewriting"), problems))
        problems_add(problems, SPAN("intelligent_query_rewriting"), "%s", no_rewriting);
    if (problems->count > 0)
        return INVALID;
    *ret_query = query;
    return OK;
}
