vcl 4.1;

backend default {
    .host = "{host}";
    .port = "{port}";
}

sub vcl_backend_response {
    set beresp.ttl = 1h;
    return (deliver);
}
