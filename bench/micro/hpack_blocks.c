/* The same field blocks through libnghttp2's inflater and deflater; hpack_blocks.py builds and runs it.
 *
 *   hpack_blocks decode COUNT ROUNDS WARM-HEX BLOCK-HEX...  nanoseconds per block, the best round; the blocks in turn
 *   hpack_blocks repeat COUNT ROUNDS                        nanoseconds per repeated request
 *   hpack_blocks vary COUNT ROUNDS                          nanoseconds per request with values of its own
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static size_t unhex(const char *hex, uint8_t *out) {
  size_t n = strlen(hex) / 2;
  for (size_t i = 0; i < n; i++) {
    unsigned octet;
    sscanf(hex + 2 * i, "%2x", &octet);
    out[i] = (uint8_t)octet;
  }
  return n;
}

static volatile size_t sink;

static void inflate(nghttp2_hd_inflater *inflater, const uint8_t *in, size_t size) {
  for (;;) {
    nghttp2_nv nv;
    int flags = 0;
    ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, in, size, 1);
    if (used < 0) {
      fprintf(stderr, "%s\n", nghttp2_strerror((int)used));
      exit(1);
    }
    in += used;
    size -= (size_t)used;
    if (flags & NGHTTP2_HD_INFLATE_EMIT) sink += nv.valuelen;
    if (flags & NGHTTP2_HD_INFLATE_FINAL) {
      nghttp2_hd_inflate_end_headers(inflater);
      return;
    }
    if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && size == 0) return;
  }
}

#define NV(name, value) {(uint8_t *)name, (uint8_t *)value, sizeof(name) - 1, sizeof(value) - 1, 0}

#define VARIED 256 /* requests, and at most so many blocks */

static char paths[VARIED][64], cookies[VARIED][64], lengths[VARIED][16], ids[VARIED][40];

static nghttp2_nv own(const char *name, const char *value) {
  nghttp2_nv nv = {(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0};
  return nv;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  long count = atol(argv[2]);
  double best = 1e18;
  nghttp2_hd_inflater *inflater;
  nghttp2_hd_deflater *deflater;
  nghttp2_hd_inflate_new(&inflater);
  nghttp2_hd_deflate_new(&deflater, 4096);
  static uint8_t warm[65536], blocks[VARIED][4096], out[65536];
  static size_t sizes[VARIED];
  static nghttp2_nv varied[VARIED][10];
  int different = argc - 5;
  if (different > VARIED) return 2;
  if (different > 0) {
    size_t first = unhex(argv[4], warm);
    for (int i = 0; i < different; i++) sizes[i] = unhex(argv[5 + i], blocks[i]);
    if (first) inflate(inflater, warm, first);
  }
  nghttp2_nv request[] = {
      NV(":method", "GET"),
      NV(":scheme", "https"),
      NV(":authority", "www.example.org"),
      NV(":path", "/api/v1/items/000042"),
      NV("user-agent", "deuterium/0.1"),
      NV("accept", "*/*"),
      NV("accept-encoding", "gzip, deflate, br"),
  };
  for (unsigned i = 0; i < VARIED; i++) {
    memcpy(varied[i], request, sizeof(request));
    snprintf(paths[i], sizeof(paths[i]), "/api/v1/items/%06u?page=%u", i * 7919, i);
    snprintf(cookies[i], sizeof(cookies[i]), "session=%016x; theme=dark", i * 2654435761u);
    snprintf(lengths[i], sizeof(lengths[i]), "%u", 1000 + i * 37);
    snprintf(ids[i], sizeof(ids[i]), "%08x-0d1b-4d7c-9f43-%012x", i * 2246822519u, i * 3266489917u);
    varied[i][3] = own(":path", paths[i]);
    varied[i][7] = own("cookie", cookies[i]);
    varied[i][8] = own("content-length", lengths[i]);
    varied[i][9] = own("x-request-id", ids[i]);
  }
  for (int round = 0; round < atoi(argv[3]); round++) {
    double start = now_ns();
    if (strcmp(argv[1], "decode") == 0)
      for (long i = 0; i < count; i++) inflate(inflater, blocks[i % different], sizes[i % different]);
    else if (strcmp(argv[1], "repeat") == 0)
      for (long i = 0; i < count; i++)
        sink += (size_t)nghttp2_hd_deflate_hd(deflater, out, sizeof(out), request, 7);
    else
      for (long i = 0; i < count; i++)
        sink += (size_t)nghttp2_hd_deflate_hd(deflater, out, sizeof(out), varied[i % VARIED], 10);
    double each = (now_ns() - start) / (double)count;
    if (each < best) best = each;
  }
  printf("%.1f\n", best);
  return 0;
}
