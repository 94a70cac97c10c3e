# /etc/varnish/default.vcl
vcl 4.1;

import std;

backend default {
    .host = "127.0.0.1";
    .port = "3000";
}

sub vcl_backend_response {
    # The app says how long a response may be kept. A response that says nothing is not kept:
    # Varnish would keep it for two minutes.
    if (!beresp.http.Cache-Control && !beresp.http.Expires) {
        set beresp.uncacheable = true;
    }
    # Clients get a stale response for one second at most, while Varnish gets the new one. The
    # default is ten seconds.
    set beresp.grace = 1s;
    # For a minute more, Varnish can ask the app whether the response has changed (If-None-Match).
    set beresp.keep = 1m;
}

sub vcl_deliver {
    # Tells an nginx in front for how long Varnish keeps the response, because nginx ignores Age.
    # Only what the app offers to shared caches gets this header: nginx heeds nothing else beside it.
    if (!obj.uncacheable && resp.http.Cache-Control ~ "s-maxage") {
        if (obj.ttl > 0s) {
            set resp.http.X-Accel-Expires = std.integer(duration = obj.ttl);
        } else {
            set resp.http.X-Accel-Expires = "0";
        }
    }
}
