/* A whole plugin in C: the contract needs no Rust. */
#include <coronet_plugin.h>
#include <string.h>

static coronet_buffer text(const char *json) {
    return (coronet_buffer){(uint8_t *)json, strlen(json)};
}

static coronet_buffer manifest(void) {
    return text("{\"name\": \"hello-c\", \"version\": \"1\", \"abi\": 1, \"functions\": [{\"name\": \"c.hello\","
                " \"parameters\": {\"type\": \"object\", \"properties\": {}}, \"access\": [\"app\"]}]}");
}

static coronet_status start(const coronet_host *host, coronet_bytes settings, coronet_buffer *answer) {
    static const char line[] = "started in C";
    (void)settings;
    host->log(host->context, 3, (coronet_bytes){(const uint8_t *)line, sizeof line - 1});
    *answer = (coronet_buffer){NULL, 0};
    return CORONET_OK;
}

static coronet_status call(const coronet_call_context *context, coronet_bytes function, coronet_bytes parameters,
                           coronet_buffer *answer) {
    (void)context, (void)function, (void)parameters;
    *answer = text("\"Hello from C\"");
    return CORONET_OK;
}

static void stop(void) {}

/* All answers are static here. */
static void give_back(coronet_buffer buffer) { (void)buffer; }

const coronet_descriptor *coronet_plugin_v1(void) {
    static const coronet_descriptor descriptor = {
        CORONET_MAGIC, CORONET_ABI_VERSION, sizeof(coronet_descriptor), manifest, start, call, stop, give_back,
    };
    return &descriptor;
}
