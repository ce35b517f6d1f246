/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_document_fields.h"

#include "api/api_member.h"
#include "base/arena.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "documents/documents_chunk.h"

#include <assert.h>

enum {
    SECTION_DEPTH_MAX = 8,
    DIMENSIONS_BYTES_MAX = 4096,
    CHUNK_CHARACTERS_MIN = 100,
    CHUNK_CHARACTERS_MAX = 16384,
    TEXT_MAX = DOCUMENT_PART_TEXT_BYTES_MAX,
};

/* A document on its way in. */
struct intake {
    struct document *document;
    struct arena *arena;
    struct problems *problems;
    size_t text_bytes;     /* and contexts */
    size_t json_bytes;     /* of parts */
    size_t characters_max; /* of a chunk; 0: a sentence each */
    bool is_full;          /* has been said */
};

/* --- Parts --- */

/* Over a limit of the document: told once, at the member that was too much. */
static bool has_room(struct intake *intake, struct span path, const struct document_part *part)
{
    const char *text = NULL;
    intake->text_bytes += part->text.len + part->context.len;
    intake->json_bytes += part->metadata.len + part->custom_dimensions.len;
    if (intake->document->part_count == DOCUMENT_PARTS_MAX)
        text = "is too much: a document has at most 1000 parts";
    else if (intake->text_bytes > DOCUMENT_TEXT_BYTES_MAX)
        text = "is too much: a document has at most 524288 bytes of text";
    else if (intake->json_bytes > DOCUMENT_TEXT_BYTES_MAX)
        text = "is too much: a document's parts have at most 524288 bytes of metadata";
    static_assert(DOCUMENT_PARTS_MAX == 1000 && DOCUMENT_TEXT_BYTES_MAX == 524288,
                  "the messages say so");
    if (text != NULL && !intake->is_full)
        problems_add(intake->problems, path, "%s", text);
    intake->is_full |= text != NULL;
    return !intake->is_full;
}

static void add_part(struct intake *intake, struct span path, const struct document_part *part)
{
    if (part->text.len > 0 && has_room(intake, path, part))
        intake->document->parts[intake->document->part_count++] = *part;
}

static const char no_tables[] = "is not supported by this server: it keeps text only";

static void read_core_part(struct intake *intake, const struct api_object *part)
{
    static const char *const names[] = {
        "text",     "metadata", "context",         "custom_dimensions",
        "table_id", "image_id", "image_part_mode", NULL};
    api_member_check(part, names);
    api_member_refuse(part, "table_id", no_tables);
    api_member_refuse(part, "image_id", no_tables);
    const struct document_part made = {
        .text = api_member_text(part, "text", TEXT_MAX, API_REQUIRED),
        .context = api_member_text(part, "context", TEXT_MAX, API_OPTIONAL),
        .metadata = api_member_json(part, "metadata", DOCUMENT_METADATA_BYTES_MAX),
        .custom_dimensions = api_member_numbers(part, "custom_dimensions", DIMENSIONS_BYTES_MAX),
    };
    add_part(intake, part->path, &made);
}

static void read_core(struct intake *intake, const struct api_object *body)
{
    static const char *const names[] = {"type",   "id",     "metadata", "document_parts",
                                        "tables", "images", NULL};
    api_member_check(body, names);
    const json_t *parts = api_member_array(body, "document_parts", DOCUMENT_PARTS_MAX);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const struct api_object part = api_member_element(body, "document_parts", parts, i);
        if (part.json != NULL)
            read_core_part(intake, &part);
    }
}

/* --- Sections --- */

/* {"type":"max_chars_chunking_strategy","max_chars_per_chunk":200}, or by sentences. */
static void read_chunking(struct intake *intake, const struct api_object *body)
{
    static const char *const names[] = {"type", "max_chars_per_chunk", NULL};
    const struct api_object chunking = api_member_object(body, "chunking_strategy");
    if (chunking.json == NULL)
        return;
    api_member_check(&chunking, names);
    struct span type = api_member_text(&chunking, "type", 64, API_REQUIRED);
    if (span_equal(type, SPAN("sentence_chunking_strategy")))
        return;
    if (!span_equal(type, SPAN("max_chars_chunking_strategy"))) {
        api_member_problem(&chunking, "type",
                           "must be sentence_chunking_strategy or max_chars_chunking_strategy");
        return;
    }
    if (api_member_get(&chunking, "max_chars_per_chunk") == NULL)
        api_member_problem(&chunking, "max_chars_per_chunk", "is required");
    intake->characters_max = (size_t)api_member_int(
        &chunking, "max_chars_per_chunk",
        (struct api_range){CHUNK_CHARACTERS_MIN, CHUNK_CHARACTERS_MAX, CHUNK_CHARACTERS_MIN});
}

/* What a part knows of its section: the section's metadata, its number, and whether it is a title.
 */
static struct span section_metadata(const struct api_object *section, bool is_title)
{
    AUTO(json) json_t *metadata = json_object();
    const json_t *given = api_member_get(section, "metadata");
    const json_t *id = api_member_get(section, "id");
    bool has_failed = metadata == NULL;
    if (json_is_object(given))
        has_failed |= json_object_update(metadata, (json_t *)(uintptr_t)given) != 0;
    if (json_is_integer(id))
        has_failed |= json_object_set(metadata, "section", (json_t *)(uintptr_t)id) != 0;
    if (is_title)
        has_failed |= json_object_set_new(metadata, "is_title", json_true()) != 0;
    size_t len = has_failed ? 0 : json_dumpb(metadata, NULL, 0, JSON_COMPACT);
    char *text = len == 0 ? NULL : arena_alloc(section->arena, len);
    if (text == NULL || json_dumpb(metadata, text, len, JSON_COMPACT) != len) {
        api_member_problem(section, "metadata", "is too large together with the rest");
        return SPAN("{}");
    }
    return span_of(text, len);
}

static void add_text(struct intake *intake, const struct api_object *section, const char *name,
                     bool is_title)
{
    struct span text = api_member_text(section, name, DOCUMENT_TEXT_BYTES_MAX,
                                       is_title ? API_OPTIONAL : API_REQUIRED);
    struct document_part part = {.custom_dimensions = SPAN("{}")};
    if (text.len > 0)
        part.metadata = section_metadata(section, is_title);
    while (!intake->is_full && documents_chunk_next(&text, intake->characters_max, &part.text))
        add_part(intake, api_member_path(section, name), &part);
}

static void read_section(struct intake *intake, const struct api_object *section)
{
    static const char *const names[] = {"id",     "title",  "text",     "metadata",
                                        "tables", "images", "sections", NULL};
    api_member_check(section, names);
    api_member_refuse(section, "tables", no_tables);
    api_member_refuse(section, "images", no_tables);
    (void)api_member_int(section, "id", (struct api_range){INT32_MIN, INT32_MAX, 0});
    (void)api_member_json(section, "metadata", DOCUMENT_METADATA_BYTES_MAX);
    add_text(intake, section, "title", true);
    add_text(intake, section, "text", false);
}

/* A section, then those in it, then the next one. */
static void read_sections(struct intake *intake, const struct api_object *body)
{
    struct {
        struct api_object holder;
        const json_t *array;
        size_t next;
    } stack[SECTION_DEPTH_MAX];
    stack[0].holder = *body;
    stack[0].array = api_member_array(body, "sections", DOCUMENT_PARTS_MAX);
    stack[0].next = 0;
    size_t depth = 1;
    while (depth > 0) {
        size_t top = depth - 1;
        if (stack[top].next >= json_array_size(stack[top].array)) {
            depth--;
            continue;
        }
        const struct api_object section =
            api_member_element(&stack[top].holder, "sections", stack[top].array, stack[top].next++);
        if (section.json == NULL)
            continue;
        read_section(intake, &section);
        const json_t *inner = api_member_get(&section, "sections");
        if (inner == NULL || (json_is_array(inner) && json_array_size(inner) == 0))
            continue;
        if (depth == SECTION_DEPTH_MAX) {
            api_member_problem(&section, "sections", "is nested deeper than %d levels",
                               SECTION_DEPTH_MAX);
            continue;
        }
        stack[depth].holder = section;
        stack[depth].array = api_member_array(&section, "sections", DOCUMENT_PARTS_MAX);
        stack[depth].next = 0;
        depth++;
    }
}

static void read_structured(struct intake *intake, const struct api_object *body)
{
    static const char *const names[] = {"type",
                                        "id",
                                        "title",
                                        "description",
                                        "metadata",
                                        "sections",
                                        "custom_dimensions",
                                        "tables",
                                        "images",
                                        "chunking_strategy",
                                        NULL};
    api_member_check(body, names);
    (void)api_member_numbers(body, "custom_dimensions", DIMENSIONS_BYTES_MAX);
    read_chunking(intake, body);
    const char *const texts[] = {"title", "description"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct span text = api_member_text(body, texts[i], TEXT_MAX, API_OPTIONAL);
        const struct document_part part = {
            .text = text,
            .metadata = i == 0 ? SPAN("{\"is_title\":true}") : SPAN("{}"),
            .custom_dimensions = SPAN("{}"),
        };
        add_part(intake, api_member_path(body, texts[i]), &part);
    }
    read_sections(intake, body);
}

/* --- Documents --- */

/* The published Python client sends no type: what there is of parts or sections tells. */
static void read_by_type(struct intake *intake, const struct api_object *body)
{
    struct span type = api_member_text(body, "type", 64, API_OPTIONAL);
    bool has_sections = api_member_get(body, "sections") != NULL;
    bool is_structured = type.len == 0 ? has_sections : span_equal(type, SPAN("structured"));
    if (type.len > 0 && !is_structured && !span_equal(type, SPAN("core")))
        api_member_problem(body, "type", "must be core or structured");
    else if (is_structured)
        read_structured(intake, body);
    else
        read_core(intake, body);
}

enum status api_document_read(const json_t *body, struct arena *arena,
                              struct document *ret_document, struct problems *problems)
{
    const struct api_object object = {.json = body, .arena = arena, .problems = problems};
    struct document document = {
        .parts = arena_zalloc(arena, DOCUMENT_PARTS_MAX, sizeof *document.parts)};
    if (document.parts == NULL)
        return NO_MEMORY;
    struct intake intake = {.document = &document, .arena = arena, .problems = problems};
    document.id = api_member_text(&object, "id", DOCUMENT_ID_LEN_MAX, API_REQUIRED);
    if (!utf8_is_plain(document.id))
        api_member_problem(&object, "id",
                           "must not contain control, direction-changing or invisible characters");
    document.metadata = api_member_json(&object, "metadata", DOCUMENT_METADATA_BYTES_MAX);
    api_member_refuse(&object, "tables", no_tables);
    api_member_refuse(&object, "images", no_tables);
    read_by_type(&intake, &object);
    if (problems->count == 0 && document.part_count == 0)
        problems_add(problems, SPAN("sections"), "hold no text");
    if (problems->count > 0)
        return INVALID;
    *ret_document = document;
    return OK;
}

struct span api_document_read_metadata(const json_t *body, struct arena *arena,
                                       struct problems *problems)
{
    static const char *const names[] = {"metadata", NULL};
    const struct api_object object = {.json = body, .arena = arena, .problems = problems};
    api_member_check(&object, names);
    if (api_member_get(&object, "metadata") == NULL)
        api_member_problem(&object, "metadata", "is required");
    return api_member_json(&object, "metadata", DOCUMENT_METADATA_BYTES_MAX);
}
