"""Field names that responses repeat, as they come and as they are kept: one string for all of them."""

from __future__ import annotations

from typing import Final

_COMMON: Final = """accept-ranges access-control-allow-credentials access-control-allow-headers
access-control-allow-methods access-control-allow-origin access-control-expose-headers age allow alt-svc cache-control
cf-cache-status cf-ray connection content-disposition content-encoding content-language content-length content-location
content-range content-security-policy content-type date etag expires keep-alive last-modified link location nel p3p
permissions-policy pragma referrer-policy report-to retry-after server server-timing set-cookie
strict-transport-security timing-allow-origin trailer transfer-encoding upgrade vary via www-authenticate x-amz-cf-id
x-amz-cf-pop x-cache x-content-type-options x-frame-options x-powered-by x-request-id x-served-by
x-xss-protection""".split()  # noqa: SIM905  # a list literal is a page long

# In lower case and in the usual case of HTTP/1.1; whatever else a peer writes is decoded.
KNOWN_NAMES: Final[dict[bytes, str]] = {
    written.encode(): name for name in _COMMON for written in (name, name.title(), name.title().replace("Etag", "ETag"))
}
