//! Responses that take time: streams, uploads, sockets, and handlers that take too long.

use std::convert::Infallible;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ContentType};
use actix_web::web::{Bytes, Json, Payload, Query};
use actix_web::{Error, HttpRequest, HttpResponse, Responder, rt};
use actix_ws::AggregatedMessage;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use route_runtime::{Problem, route};
use serde::Deserialize;
use serde_json::json;

use crate::time::now;

/// Server-sent events: the first at once, then one each second, for as long as the client listens.
#[route("/api/events", dynamic = "force-dynamic")]
async fn events() -> impl Responder {
    let ticks = rt::time::interval(Duration::from_secs(1));
    let events = stream::unfold((ticks, 1), |(mut ticks, count)| async move {
        ticks.tick().await;
        let data = json!({ "count": count, "time": now() });
        let event = Bytes::from(format!("id: {count}\ndata: {data}\n\n"));
        Some((Ok::<_, Infallible>(event), (ticks, count + 1)))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .streaming(events)
}

#[derive(Deserialize)]
struct Lines {
    #[serde(default = "ten")]
    lines: u32,
}

fn ten() -> u32 {
    10
}

/// A body that is made while it is sent, and is never whole in memory: `?lines=1000000`.
#[route("/api/stream")]
async fn lines(query: Query<Lines>) -> Result<impl Responder, Problem> {
    const MOST: u32 = 1_000_000;
    if query.lines > MOST {
        let problem = Problem::new(StatusCode::BAD_REQUEST);
        return Err(problem.detail(format!("at most {MOST} lines")));
    }
    let lines = (1..=query.lines).map(|line| Ok::<_, Infallible>(format!("line {line}\n").into()));
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .streaming::<_, Infallible>(stream::iter(lines)))
}

/// A form with files, measured while it arrives. `body_limit` is the largest form that is accepted.
#[route(POST, "/api/upload", body_limit = "10MB")]
async fn upload(mut form: Multipart) -> Result<impl Responder, Error> {
    let mut fields = Vec::new();
    while let Some(mut field) = form.try_next().await? {
        let mut bytes = 0;
        while let Some(chunk) = field.try_next().await? {
            bytes += chunk.len();
        }
        let disposition = field.content_disposition();
        fields.push(json!({
            "name": field.name(),
            "file": disposition.and_then(|disposition| disposition.get_filename()),
            "bytes": bytes,
        }));
    }
    Ok(Json(json!({ "fields": fields })))
}

/// A WebSocket that echoes each message.
#[route("/api/echo")]
async fn echo(req: HttpRequest, body: Payload) -> Result<HttpResponse, Error> {
    let (response, mut session, messages) = actix_ws::handle(&req, body)?;
    let mut messages = messages.aggregate_continuations();
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let sent = match message {
                AggregatedMessage::Text(text) => session.text(text).await,
                AggregatedMessage::Binary(bytes) => session.binary(bytes).await,
                AggregatedMessage::Ping(bytes) => session.pong(&bytes).await,
                AggregatedMessage::Pong(_) => Ok(()),
                AggregatedMessage::Close(reason) => {
                    // The client is leaving, so a failure to send this does not matter.
                    let _ = session.close(reason).await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

/// A handler that never ends. After a second it is dropped, and the response is 504.
#[route("/api/slow", dynamic = "force-dynamic", max_duration = 1)]
async fn slow() -> &'static str {
    std::future::pending().await
}

/// A handler that panics. Only this request fails, with 500; the server goes on.
#[route("/api/panic", dynamic = "force-dynamic")]
async fn panic() -> &'static str {
    panic!("on request")
}
