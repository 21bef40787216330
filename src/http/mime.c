/* http/mime.c - media types: by file name, and which of them say a charset. See mime.h. */
#include "http/mime.h"

#define EXTENSION_MAX 11

/* Sorted by extension, lower case. What Python on Debian has no type for, or a wrong one for the
 * web (".ts", ".mid"), is as IANA or common use has it; compressed files too, as Python gives
 * the type of what is inside. */
static const struct {
    struct slice extension;
    struct slice type;
} types[] = {
    {SLICE("7z"), SLICE("application/x-7z-compressed")},
    {SLICE("aac"), SLICE("audio/aac")},
    {SLICE("abw"), SLICE("application/x-abiword")},
    {SLICE("apk"), SLICE("application/vnd.android.package-archive")},
    {SLICE("appcache"), SLICE("text/cache-manifest")},
    {SLICE("atom"), SLICE("application/atom+xml")},
    {SLICE("avi"), SLICE("video/x-msvideo")},
    {SLICE("avif"), SLICE("image/avif")},
    {SLICE("bin"), SLICE("application/octet-stream")},
    {SLICE("bmp"), SLICE("image/bmp")},
    {SLICE("br"), SLICE("application/x-brotli")},
    {SLICE("bz2"), SLICE("application/x-bzip2")},
    {SLICE("c"), SLICE("text/x-csrc")},
    {SLICE("cjs"), SLICE("text/javascript")},
    {SLICE("class"), SLICE("application/java-vm")},
    {SLICE("conf"), SLICE("text/plain")},
    {SLICE("cpp"), SLICE("text/x-c++src")},
    {SLICE("csh"), SLICE("text/x-csh")},
    {SLICE("css"), SLICE("text/css")},
    {SLICE("csv"), SLICE("text/csv")},
    {SLICE("cur"), SLICE("image/vnd.microsoft.icon")},
    {SLICE("dart"), SLICE("application/vnd.dart")},
    {SLICE("deb"), SLICE("application/vnd.debian.binary-package")},
    {SLICE("diff"), SLICE("text/x-diff")},
    {SLICE("dmg"), SLICE("application/x-apple-diskimage")},
    {SLICE("doc"), SLICE("application/msword")},
    {SLICE("docm"), SLICE("application/vnd.ms-word.document.macroEnabled.12")},
    {SLICE("docx"),
     SLICE("application/vnd.openxmlformats-officedocument.wordprocessingml.document")},
    {SLICE("dotx"),
     SLICE("application/vnd.openxmlformats-officedocument.wordprocessingml.template")},
    {SLICE("eot"), SLICE("application/vnd.ms-fontobject")},
    {SLICE("eps"), SLICE("application/postscript")},
    {SLICE("epub"), SLICE("application/epub+zip")},
    {SLICE("exe"), SLICE("application/x-msdos-program")},
    {SLICE("flac"), SLICE("audio/flac")},
    {SLICE("flv"), SLICE("video/x-flv")},
    {SLICE("geojson"), SLICE("application/geo+json")},
    {SLICE("gif"), SLICE("image/gif")},
    {SLICE("glb"), SLICE("model/gltf-binary")},
    {SLICE("gltf"), SLICE("model/gltf+json")},
    {SLICE("gpx"), SLICE("application/gpx+xml")},
    {SLICE("gz"), SLICE("application/gzip")},
    {SLICE("h"), SLICE("text/x-chdr")},
    {SLICE("har"), SLICE("application/json")},
    {SLICE("heic"), SLICE("image/heic")},
    {SLICE("heif"), SLICE("image/heif")},
    {SLICE("htm"), SLICE("text/html")},
    {SLICE("html"), SLICE("text/html")},
    {SLICE("ico"), SLICE("image/vnd.microsoft.icon")},
    {SLICE("ics"), SLICE("text/calendar")},
    {SLICE("ini"), SLICE("text/plain")},
    {SLICE("iso"), SLICE("application/x-iso9660-image")},
    {SLICE("jar"), SLICE("application/java-archive")},
    {SLICE("jpe"), SLICE("image/jpeg")},
    {SLICE("jpeg"), SLICE("image/jpeg")},
    {SLICE("jpg"), SLICE("image/jpeg")},
    {SLICE("js"), SLICE("text/javascript")},
    {SLICE("json"), SLICE("application/json")},
    {SLICE("json5"), SLICE("application/json5")},
    {SLICE("jsonld"), SLICE("application/ld+json")},
    {SLICE("jxl"), SLICE("image/jxl")},
    {SLICE("kml"), SLICE("application/vnd.google-earth.kml+xml")},
    {SLICE("kmz"), SLICE("application/vnd.google-earth.kmz")},
    {SLICE("log"), SLICE("text/plain")},
    {SLICE("lua"), SLICE("text/x-lua")},
    {SLICE("m3u"), SLICE("audio/mpegurl")},
    {SLICE("m3u8"), SLICE("application/vnd.apple.mpegurl")},
    {SLICE("m4a"), SLICE("audio/mp4")},
    {SLICE("m4v"), SLICE("video/mp4")},
    {SLICE("manifest"), SLICE("text/cache-manifest")},
    {SLICE("map"), SLICE("application/json")},
    {SLICE("markdown"), SLICE("text/markdown")},
    {SLICE("md"), SLICE("text/markdown")},
    {SLICE("mid"), SLICE("audio/midi")},
    {SLICE("midi"), SLICE("audio/midi")},
    {SLICE("mjs"), SLICE("text/javascript")},
    {SLICE("mkv"), SLICE("video/x-matroska")},
    {SLICE("mml"), SLICE("application/mathml+xml")},
    {SLICE("mobi"), SLICE("application/x-mobipocket-ebook")},
    {SLICE("mov"), SLICE("video/quicktime")},
    {SLICE("mp3"), SLICE("audio/mpeg")},
    {SLICE("mp4"), SLICE("video/mp4")},
    {SLICE("mpd"), SLICE("application/dash+xml")},
    {SLICE("mpeg"), SLICE("video/mpeg")},
    {SLICE("mpg"), SLICE("video/mpeg")},
    {SLICE("mpga"), SLICE("audio/mpeg")},
    {SLICE("msi"), SLICE("application/x-msi")},
    {SLICE("ndjson"), SLICE("application/x-ndjson")},
    {SLICE("odg"), SLICE("application/vnd.oasis.opendocument.graphics")},
    {SLICE("odp"), SLICE("application/vnd.oasis.opendocument.presentation")},
    {SLICE("ods"), SLICE("application/vnd.oasis.opendocument.spreadsheet")},
    {SLICE("odt"), SLICE("application/vnd.oasis.opendocument.text")},
    {SLICE("oga"), SLICE("audio/ogg")},
    {SLICE("ogg"), SLICE("audio/ogg")},
    {SLICE("ogv"), SLICE("video/ogg")},
    {SLICE("opus"), SLICE("audio/ogg")},
    {SLICE("otf"), SLICE("font/otf")},
    {SLICE("p12"), SLICE("application/pkcs12")},
    {SLICE("patch"), SLICE("text/x-diff")},
    {SLICE("pdf"), SLICE("application/pdf")},
    {SLICE("pem"), SLICE("application/pem-certificate-chain")},
    {SLICE("pfx"), SLICE("application/pkcs12")},
    {SLICE("pl"), SLICE("text/x-perl")},
    {SLICE("png"), SLICE("image/png")},
    {SLICE("ppt"), SLICE("application/vnd.ms-powerpoint")},
    {SLICE("pptx"),
     SLICE("application/vnd.openxmlformats-officedocument.presentationml.presentation")},
    {SLICE("ps"), SLICE("application/postscript")},
    {SLICE("psd"), SLICE("image/vnd.adobe.photoshop")},
    {SLICE("py"), SLICE("text/x-python")},
    {SLICE("qt"), SLICE("video/quicktime")},
    {SLICE("rar"), SLICE("application/vnd.rar")},
    {SLICE("rdf"), SLICE("application/rdf+xml")},
    {SLICE("rpm"), SLICE("application/x-redhat-package-manager")},
    {SLICE("rss"), SLICE("application/x-rss+xml")},
    {SLICE("rtf"), SLICE("application/rtf")},
    {SLICE("sh"), SLICE("text/x-sh")},
    {SLICE("sql"), SLICE("application/sql")},
    {SLICE("srt"), SLICE("text/plain")},
    {SLICE("svg"), SLICE("image/svg+xml")},
    {SLICE("swf"), SLICE("application/vnd.adobe.flash.movie")},
    {SLICE("tar"), SLICE("application/x-tar")},
    {SLICE("tcl"), SLICE("text/x-tcl")},
    {SLICE("tex"), SLICE("text/x-tex")},
    {SLICE("text"), SLICE("text/plain")},
    {SLICE("tgz"), SLICE("application/gzip")},
    {SLICE("tif"), SLICE("image/tiff")},
    {SLICE("tiff"), SLICE("image/tiff")},
    {SLICE("toml"), SLICE("application/toml")},
    {SLICE("torrent"), SLICE("application/x-bittorrent")},
    {SLICE("ts"), SLICE("video/mp2t")},
    {SLICE("tsv"), SLICE("text/tab-separated-values")},
    {SLICE("ttc"), SLICE("font/collection")},
    {SLICE("ttf"), SLICE("font/ttf")},
    {SLICE("txt"), SLICE("text/plain")},
    {SLICE("vcf"), SLICE("text/vcard")},
    {SLICE("vtt"), SLICE("text/vtt")},
    {SLICE("wasm"), SLICE("application/wasm")},
    {SLICE("wav"), SLICE("audio/x-wav")},
    {SLICE("weba"), SLICE("audio/webm")},
    {SLICE("webm"), SLICE("video/webm")},
    {SLICE("webmanifest"), SLICE("application/manifest+json")},
    {SLICE("webp"), SLICE("image/webp")},
    {SLICE("wmv"), SLICE("video/x-ms-wmv")},
    {SLICE("woff"), SLICE("font/woff")},
    {SLICE("woff2"), SLICE("font/woff2")},
    {SLICE("xht"), SLICE("application/xhtml+xml")},
    {SLICE("xhtml"), SLICE("application/xhtml+xml")},
    {SLICE("xls"), SLICE("application/vnd.ms-excel")},
    {SLICE("xlsm"), SLICE("application/vnd.ms-excel.sheet.macroEnabled.12")},
    {SLICE("xlsx"), SLICE("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")},
    {SLICE("xml"), SLICE("application/xml")},
    {SLICE("xsd"), SLICE("application/xml")},
    {SLICE("xsl"), SLICE("application/xslt+xml")},
    {SLICE("xslt"), SLICE("application/xslt+xml")},
    {SLICE("xspf"), SLICE("application/xspf+xml")},
    {SLICE("xul"), SLICE("application/vnd.mozilla.xul+xml")},
    {SLICE("xz"), SLICE("application/x-xz")},
    {SLICE("yaml"), SLICE("application/yaml")},
    {SLICE("yml"), SLICE("application/yaml")},
    {SLICE("zip"), SLICE("application/zip")},
    {SLICE("zst"), SLICE("application/zstd")},
};

static struct slice find(struct slice extension)
{
    size_t low = 0, high = sizeof(types) / sizeof(types[0]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(extension, types[middle].extension);
        if (order == 0)
            return types[middle].type;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SLICE("");
}

struct slice mime_type_of(struct slice filename)
{
    char lower[EXTENSION_MAX];
    size_t len = 0;
    while (len < filename.len && filename.data[filename.len - 1 - len] != '.') {
        char c = filename.data[filename.len - 1 - len];
        if (c == '/' || len == sizeof(lower))
            return SLICE("");
        len++;
        lower[sizeof(lower) - len] = ascii_lower(c);
    }
    /* Leading dots make a hidden file, not an extension. */
    size_t stem = filename.len - len;
    while (stem > 0 && filename.data[stem - 1] == '.')
        stem--;
    if (stem == 0 || filename.data[stem - 1] == '/')
        return SLICE("");
    return find(slice_of(lower + sizeof(lower) - len, len));
}

bool mime_wants_charset(struct slice mimetype)
{
    static const struct slice others[] = {
        SLICE("application/xml"),        SLICE("application/javascript"),
        SLICE("application/ecmascript"), SLICE("application/sql"),
        SLICE("application/xml-dtd"),    SLICE("application/xml-external-parsed-entity"),
    };
    if (mimetype.len >= 5 && slice_eq_nocase(slice_of(mimetype.data, 5), SLICE("text/")))
        return true;
    if (mimetype.len >= 4 && slice_eq_nocase(slice_from(mimetype, mimetype.len - 4), SLICE("+xml")))
        return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (slice_eq_nocase(mimetype, others[i]))
            return true;
    return false;
}
