//! Tests of streams, uploads, events and WebSockets.

use super::*;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use actix_web::{App, HttpServer, rt};
use awc::ws::{Frame, Message};
use futures_util::{SinkExt as _, StreamExt as _};
use route_runtime::Mode;
use serde_json::json;

#[actix_web::test]
async fn a_stream_has_as_many_lines_as_the_query_says() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let three = app.get("/api/stream?lines=3").await;
        assert_eq!(three.text(), "line 1\nline 2\nline 3\n");
        assert_eq!(app.get("/api/stream").await.text().lines().count(), 10);
        assert_eq!(app.get("/api/stream?lines=0").await.text(), "");
        for wrong in ["-1", "x", "1000001"] {
            let response = app.get(&format!("/api/stream?lines={wrong}")).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}

#[actix_web::test]
async fn an_upload_is_measured_field_by_field() {
    const FORM: &str = "multipart/form-data; boundary=x";
    let body = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHello\r\n\
                --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n--x--\r\n";
    for mode in MODES {
        let app = tutorial(mode).await;
        let request = |form: &'static str, body: Bytes| {
            let request = TestRequest::post().uri("/api/upload");
            let request = request.insert_header((header::CONTENT_TYPE, form));
            app.send(request.set_payload(body))
        };
        let response = request(FORM, body.into()).await;
        let expected = json!({ "fields": [
            { "name": "title", "file": null, "bytes": 5 },
            { "name": "file", "file": "a.txt", "bytes": 9 },
        ] });
        assert_eq!(json(&response), expected);

        let cut = request(FORM, body[..body.len() - 10].into()).await;
        assert_eq!(cut.status(), StatusCode::BAD_REQUEST);
        let other = request("text/plain", "text".into()).await;
        assert!(other.status().is_client_error(), "{}", other.status());
        let large = request(FORM, vec![b'-'; 11 << 20].into()).await;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

/// Serves the tutorial on a socket until the test ends. Returns its URL.
async fn serve(mode: Mode) -> String {
    let (routes, _) = routes(mode);
    routes.ready().await.expect("no data is missing");
    let server = HttpServer::new(move || App::new().service(routes.clone()))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
    let address = server.addrs()[0];
    rt::spawn(server.run());
    format!("http://{address}")
}

#[actix_web::test]
async fn the_first_event_comes_at_once() {
    for mode in MODES {
        let url = serve(mode).await;
        let events = awc::Client::default().get(format!("{url}/api/events"));
        let mut events = events.send().await.expect("an answer");
        let content_type = events.headers().get(header::CONTENT_TYPE);
        assert_eq!(content_type.expect("a type"), "text/event-stream");
        let event = events.next().await.expect("an event").expect("bytes");
        assert!(
            event.starts_with(b"id: 1\ndata: {\"count\":1,"),
            "{event:?}"
        );
        assert!(event.ends_with(b"}\n\n"), "{event:?}");
    }
}

#[actix_web::test]
async fn a_websocket_echoes_each_message() {
    for mode in MODES {
        let url = serve(mode).await;
        let socket = awc::Client::default()
            .ws(format!("{url}/api/echo"))
            .connect();
        let (response, mut socket) = socket.await.expect("a socket");
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        for (sent, expected) in [
            (Message::Text("hello".into()), Frame::Text("hello".into())),
            (
                Message::Binary(vec![0, 255].into()),
                Frame::Binary(vec![0, 255].into()),
            ),
            (Message::Ping("?".into()), Frame::Pong("?".into())),
            (Message::Close(None), Frame::Close(None)),
        ] {
            socket.send(sent).await.expect("it is open");
            let frame = socket.next().await.expect("a frame").expect("no error");
            assert_eq!(frame, expected);
        }
    }
}
