//! Compression of bodies: which bodies, how, and which encoding a client prefers.

use std::cell::RefCell;
use std::io::Write as _;

use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE,
    ContentEncoding, Encoding, Header as _, HeaderMap,
};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, web};

/// The length in bytes up to which compression gains nothing worth having.
const SMALLEST: usize = 1024;

/// Returns whether a body of this length and with these headers is offered in compressed form.
pub(crate) fn is_compressible(headers: &HeaderMap, length: usize) -> bool {
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
    let is_fixed = text(CACHE_CONTROL)
        .is_some_and(|value| super::directives(value).any(|name| name == "no-transform"));
    length > SMALLEST && is_text && !is_fixed && !headers.contains_key(CONTENT_ENCODING)
}

/// Returns the encoding that a request prefers among ours; identity if the request does not say.
pub(crate) fn preferred(request: &impl HttpMessage) -> ContentEncoding {
    let mut values = request.headers().get_all(ACCEPT_ENCODING);
    match (values.next(), values.next()) {
        (None, _) => ContentEncoding::Identity,
        (Some(only), None) => {
            RECENT.with_borrow_mut(|recent| recent.get(only.as_bytes(), || negotiated(request)))
        }
        _ => negotiated(request),
    }
}

fn negotiated(request: &impl HttpMessage) -> ContentEncoding {
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

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// The encodings that were negotiated lately. Clients of one kind all send the same few bytes, and
/// parsing them again would take a fifth of the time of a hit.
#[derive(Default)]
struct Recent {
    seen: [(Vec<u8>, ContentEncoding); 4],
    oldest: usize,
}

impl Recent {
    /// The longest header that is remembered. No client in a hurry sends a longer one.
    const LONGEST: usize = 128;

    fn get(
        &mut self,
        value: &[u8],
        negotiate: impl FnOnce() -> ContentEncoding,
    ) -> ContentEncoding {
        if let Some((_, encoding)) = self.seen.iter().find(|(seen, _)| seen == value) {
            return *encoding;
        }
        let encoding = negotiate();
        if value.len() <= Self::LONGEST {
            let (seen, chosen) = &mut self.seen[self.oldest];
            seen.clear();
            seen.extend_from_slice(value);
            *chosen = encoding;
            self.oldest = (self.oldest + 1) % self.seen.len();
        }
        encoding
    }
}

/// Compresses a body on a thread that may block. Returns `None` if that fails, which writing to
/// memory does not.
pub(crate) async fn compress(encoding: ContentEncoding, body: Bytes) -> Option<Bytes> {
    let compressed = web::block(move || match encoding {
        ContentEncoding::Brotli => brotli(&body),
        ContentEncoding::Zstd => zstd::encode_all(&*body, 3),
        _ => gzip(&body),
    });
    let compressed = compressed.await.ok()?.ok()?;
    // The bytes are kept without spare capacity.
    Some(compressed.into_boxed_slice().into())
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
