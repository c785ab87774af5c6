-- For wrk: a connection for each request, so that over TLS each makes a full handshake.
wrk.headers["Connection"] = "close"
