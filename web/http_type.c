/*
 * Media types of files, by the end of their names.
 */
#include <string.h>
#include <strings.h>

#include <green/static.h>

/* In the order of the first column. */
static const struct {
        const char *end, *type;
} types[] = {
        {"7z", "application/x-7z-compressed"},
        {"aac", "audio/aac"},
        {"apng", "image/apng"},
        {"atom", "application/atom+xml"},
        {"avif", "image/avif"},
        {"bmp", "image/bmp"},
        {"bz2", "application/x-bzip2"},
        {"c", "text/plain; charset=utf-8"},
        {"conf", "text/plain; charset=utf-8"},
        {"cpp", "text/plain; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"doc", "application/msword"},
        {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"eot", "application/vnd.ms-fontobject"},
        {"epub", "application/epub+zip"},
        {"flac", "audio/flac"},
        {"gif", "image/gif"},
        {"gz", "application/gzip"},
        {"h", "text/plain; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"html", "text/html; charset=utf-8"},
        {"ico", "image/x-icon"},
        {"ics", "text/calendar; charset=utf-8"},
        {"jpeg", "image/jpeg"},
        {"jpg", "image/jpeg"},
        {"js", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"jsonld", "application/ld+json"},
        {"jxl", "image/jxl"},
        {"log", "text/plain; charset=utf-8"},
        {"m4a", "audio/mp4"},
        {"m4v", "video/mp4"},
        {"map", "application/json"},
        {"md", "text/markdown; charset=utf-8"},
        {"mid", "audio/midi"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"mkv", "video/matroska"},
        {"mov", "video/quicktime"},
        {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},
        {"mpeg", "video/mpeg"},
        {"odp", "application/vnd.oasis.opendocument.presentation"},
        {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
        {"odt", "application/vnd.oasis.opendocument.text"},
        {"oga", "audio/ogg"},
        {"ogg", "audio/ogg"},
        {"ogv", "video/ogg"},
        {"opus", "audio/ogg"},
        {"otf", "font/otf"},
        {"pdf", "application/pdf"},
        {"png", "image/png"},
        {"ppt", "application/vnd.ms-powerpoint"},
        {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
        {"ps", "application/postscript"},
        {"py", "text/plain; charset=utf-8"},
        {"rss", "application/rss+xml"},
        {"rtf", "application/rtf"},
        {"sh", "text/plain; charset=utf-8"},
        {"svg", "image/svg+xml"},
        {"tar", "application/x-tar"},
        {"tif", "image/tiff"},
        {"tiff", "image/tiff"},
        {"tsv", "text/tab-separated-values; charset=utf-8"},
        {"ttf", "font/ttf"},
        {"txt", "text/plain; charset=utf-8"},
        {"vtt", "text/vtt; charset=utf-8"},
        {"wasm", "application/wasm"},
        {"wav", "audio/wav"},
        {"weba", "audio/webm"},
        {"webm", "video/webm"},
        {"webmanifest", "application/manifest+json"},
        {"webp", "image/webp"},
        {"woff", "font/woff"},
        {"woff2", "font/woff2"},
        {"xhtml", "application/xhtml+xml"},
        {"xls", "application/vnd.ms-excel"},
        {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {"xml", "application/xml"},
        {"xz", "application/x-xz"},
        {"zip", "application/zip"},
        {"zst", "application/zstd"},
};

const char *
green_http_type_of(const char *name)
{
        const char *dot = name == NULL ? NULL : strrchr(name, '.');
        size_t low = 0, high = sizeof(types) / sizeof(types[0]);

        while (dot != NULL && low < high) {
                size_t middle = (low + high) / 2;
                int order = strcasecmp(dot + 1, types[middle].end);

                if (order == 0)
                        return types[middle].type;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return "application/octet-stream";
}
