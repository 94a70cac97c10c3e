//! A response as the cache keeps it: immutable, shared, ready to be replayed.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, ContentEncoding, EntityTag, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::web::Bytes;
use tokio::sync::OnceCell;

use super::encoding;
use crate::cache::Value;
use crate::render::Rendered;

/// What of a response is the same for everyone.
pub(crate) struct StoredResponse {
    pub(crate) status: StatusCode,
    /// Without those that belong to one connection or one moment.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// The strong tag's opaque part, without quotes.
    pub(crate) etag: String,
    /// The tag that the handler sets itself.
    pub(crate) own_etag: Option<EntityTag>,
    /// The handler sets `Cache-Control` itself.
    pub(crate) has_cache_control: bool,
    pub(crate) is_compressible: bool,
    brotli: OnceCell<Bytes>,
    zstd: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
}

/// Headers of a connection or a moment, which are made anew for each answer.
fn is_momentary(name: &HeaderName) -> bool {
    const HOP_BY_HOP: [HeaderName; 7] = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    HOP_BY_HOP.contains(name)
        || name.as_str() == "keep-alive"
        || [header::DATE, header::AGE, header::CONTENT_LENGTH].contains(name)
}

impl StoredResponse {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let hash = blake3::hash(&body);
        let etag: String = hash.to_hex().chars().take(32).collect();
        Self {
            status,
            has_cache_control: headers.contains_key(header::CACHE_CONTROL),
            is_compressible: encoding::is_compressible(headers, body.len()),
            headers: headers
                .iter()
                .filter(|(name, _)| !is_momentary(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body,
            own_etag: headers
                .get(header::ETAG)
                .and_then(|value| value.to_str().ok()?.parse().ok()),
            etag,
            brotli: OnceCell::new(),
            zstd: OnceCell::new(),
            gzip: OnceCell::new(),
        }
    }

    pub(crate) fn has_header(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|(found, _)| found == name)
    }

    fn variant(&self, encoding: ContentEncoding) -> Option<&OnceCell<Bytes>> {
        match encoding {
            ContentEncoding::Brotli => Some(&self.brotli),
            ContentEncoding::Zstd => Some(&self.zstd),
            ContentEncoding::Gzip => Some(&self.gzip),
            _ => None,
        }
    }

    /// The body in this encoding, if it has been made.
    pub(crate) fn encoded(&self, encoding: ContentEncoding) -> Option<Bytes> {
        match self.variant(encoding) {
            Some(variant) => variant.get().cloned(),
            None => Some(self.body.clone()),
        }
    }

    /// Makes the body in this encoding, once, on a thread that may block.
    pub(crate) async fn encode(&self, encoding: ContentEncoding) {
        if let Some(variant) = self.variant(encoding) {
            let body = || self.body.clone();
            variant
                .get_or_init(|| encoding::compress(encoding, body()))
                .await;
        }
    }
}

impl Value for StoredResponse {
    type Individual = Rendered;

    /// Compressed variants come later and are smaller; what may have them counts twice.
    fn weight(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| {
                name.as_str().len() + value.len() + size_of::<(HeaderName, HeaderValue)>()
            })
            .sum();
        let bodies = if self.is_compressible { 2 } else { 1 };
        size_of::<Self>() + self.etag.len() + headers + self.body.len() * bodies
    }
}
