//! A response as the cache keeps it: immutable, shared, ready to be replayed.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, ContentEncoding, EntityTag, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::web::Bytes;
use tokio::sync::OnceCell;

use super::encoding;
use super::wire::{self, Parts};

/// What of a response is the same for everyone.
pub(crate) struct StoredResponse {
    pub(crate) status: StatusCode,
    /// Without those that belong to one connection or one moment.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// Of what is answered with 200, and of whatever the handler tags itself.
    etag: Option<Validators>,
    /// The handler sets `ETag` itself.
    has_own_etag: bool,
    /// The handler sets `Cache-Control` itself.
    pub(crate) has_cache_control: bool,
    pub(crate) is_compressible: bool,
    brotli: OnceCell<Bytes>,
    zstd: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
}

/// `ETag`, as each encoding of the body has it, made once.
struct Validators {
    plain: HeaderValue,
    /// Where middleware round us may still encode the body in another way.
    weak: HeaderValue,
    brotli: HeaderValue,
    zstd: HeaderValue,
    gzip: HeaderValue,
}

impl Validators {
    /// The body's hash, and with it the encoding's name: each is another representation.
    fn of_body(body: &[u8]) -> Self {
        let hash = blake3::hash(body).to_hex();
        let hash = &hash[..32];
        Self {
            plain: value(format!("\"{hash}\"")),
            weak: value(format!("W/\"{hash}\"")),
            brotli: value(format!("\"{hash}-br\"")),
            zstd: value(format!("\"{hash}-zstd\"")),
            gzip: value(format!("\"{hash}-gzip\"")),
        }
    }

    /// What the handler said, which holds for its own bytes and only weakly for encoded ones.
    fn of_handler(plain: &HeaderValue) -> Option<Self> {
        let tag: EntityTag = plain.to_str().ok()?.parse().ok()?;
        let weak = value(EntityTag::new_weak(tag.tag().into()).to_string());
        Some(Self {
            plain: plain.clone(),
            weak: weak.clone(),
            brotli: weak.clone(),
            zstd: weak.clone(),
            gzip: weak,
        })
    }
}

/// Of text that is known to be printable ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
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
        let own = headers.get(header::ETAG).and_then(Validators::of_handler);
        let has_own = own.is_some();
        let kept = headers
            .iter()
            .filter(|(name, _)| !(is_momentary(name) || has_own && *name == header::ETAG))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Self::of_parts(status, own, kept, body)
    }

    /// Makes the rest of what tells all. `own` is the validator that the handler set.
    fn of_parts(
        status: StatusCode,
        own: Option<Validators>,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Self {
        let map: HeaderMap = headers.iter().cloned().collect();
        Self {
            has_own_etag: own.is_some(),
            etag: own.or_else(|| (status == StatusCode::OK).then(|| Validators::of_body(&body))),
            status,
            has_cache_control: map.contains_key(header::CACHE_CONTROL),
            is_compressible: encoding::is_compressible(&map, body.len()),
            headers,
            body,
            brotli: OnceCell::new(),
            zstd: OnceCell::new(),
            gzip: OnceCell::new(),
        }
    }

    fn variant(&self, encoding: ContentEncoding) -> Option<&OnceCell<Bytes>> {
        match encoding {
            ContentEncoding::Brotli => Some(&self.brotli),
            ContentEncoding::Zstd => Some(&self.zstd),
            ContentEncoding::Gzip => Some(&self.gzip),
            _ => None,
        }
    }

    /// The validator of the body in this encoding. `is_final` says that nobody will encode it in
    /// another way on its way out.
    pub(crate) fn etag(&self, encoding: ContentEncoding, is_final: bool) -> Option<&HeaderValue> {
        let etag = self.etag.as_ref()?;
        Some(match encoding {
            ContentEncoding::Brotli => &etag.brotli,
            ContentEncoding::Zstd => &etag.zstd,
            ContentEncoding::Gzip => &etag.gzip,
            _ if is_final => &etag.plain,
            _ => &etag.weak,
        })
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

impl StoredResponse {
    /// In bytes. Compressed variants come later and are smaller; what may have them counts twice.
    pub(crate) fn weight(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| {
                name.as_str().len() + value.len() + size_of::<(HeaderName, HeaderValue)>()
            })
            .sum();
        let bodies = if self.is_compressible { 2 } else { 1 };
        size_of::<Self>() + headers + self.body.len() * bodies
    }

    /// Appends it as a store keeps it. `None` if it is too long for that.
    pub(crate) fn write(&self, to: &mut Vec<u8>) -> Option<()> {
        let own = self.etag.as_ref().filter(|_| self.has_own_etag);
        let parts = Parts {
            status: self.status,
            etag: own.map(|etag| &etag.plain),
            headers: &self.headers,
            body: &self.body,
        };
        wire::encode(&parts, to)
    }

    /// What [`write`](Self::write) wrote; `None` for anything else.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (status, etag, headers, body) = wire::decode(bytes)?;
        let own = match etag {
            Some(etag) => Some(Validators::of_handler(&etag)?),
            None => None,
        };
        Some(Self::of_parts(status, own, headers, body))
    }
}
