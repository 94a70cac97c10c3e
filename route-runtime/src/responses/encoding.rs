//! Compressing bodies: what, how, and which a client prefers.

use std::io::Write as _;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, Encoding,
    Header as _, HeaderMap,
};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, web};

/// Below this many bytes, compressing gains nothing worth having.
const SMALLEST: usize = 1024;

/// Whether a body of this length and with these headers is offered compressed.
pub(super) fn is_compressible(headers: &HeaderMap, length: usize) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_text = text(CONTENT_TYPE).is_some_and(|value| {
        let mime = value.split(';').next().unwrap_or(value).trim();
        mime.starts_with("text/")
            || mime.ends_with("+json")
            || mime.ends_with("+xml")
            || matches!(
                mime,
                "application/json"
                    | "application/javascript"
                    | "application/xml"
                    | "application/wasm"
                    | "application/manifest+json"
            )
    });
    let is_fixed = text(CACHE_CONTROL).is_some_and(|value| {
        super::directives::directives(value).any(|name| name == "no-transform")
    });
    length > SMALLEST && is_text && !is_fixed && !headers.contains_key(CONTENT_ENCODING)
}

/// The encoding that a request prefers among ours; identity where it says nothing.
pub(crate) fn preferred(request: &impl HttpMessage) -> ContentEncoding {
    const OURS: [Encoding; 4] = [
        Encoding::Known(ContentEncoding::Brotli),
        Encoding::Known(ContentEncoding::Zstd),
        Encoding::Known(ContentEncoding::Gzip),
        Encoding::Known(ContentEncoding::Identity),
    ];
    // A header that cannot be read asks for nothing.
    let Ok(accepted) = AcceptEncoding::parse(request) else {
        return ContentEncoding::Identity;
    };
    match accepted.negotiate(OURS.iter()) {
        Some(Encoding::Known(encoding)) => encoding,
        _ => ContentEncoding::Identity,
    }
}

/// Compresses on a thread that may block. A body that cannot be compressed stays as it is only in
/// theory: writing to memory does not fail.
pub(super) async fn compress(encoding: ContentEncoding, body: Bytes) -> Bytes {
    let plain = body.clone();
    web::block(move || match encoding {
        ContentEncoding::Brotli => brotli(&body),
        ContentEncoding::Zstd => zstd::encode_all(&*body, 3),
        ContentEncoding::Gzip => gzip(&body),
        _ => Ok(body.into()),
    })
    .await
    .ok()
    .and_then(Result::ok)
    .map_or(plain, Bytes::from)
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(body)?;
    encoder.flush()?;
    Ok(encoder.into_inner())
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}
