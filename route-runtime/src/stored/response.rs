//! A response as the cache keeps it: immutable, shared, ready to be replayed.

use std::sync::{Arc, OnceLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, ContentEncoding, EntityTag, HeaderMap, HeaderName, HeaderValue, HttpDate,
};
use actix_web::web::Bytes;

use super::encoding;
use super::own_caching::{OwnCaching, is_targeted};
use super::variants::{FoundVariant, Variant, Variants};
use super::wire::{self, Parts};
use crate::declaration::TagHeader;

/// The parts of a response that are the same for every client.
pub(crate) struct StoredResponse {
    pub(crate) status: StatusCode,
    /// The headers, without those that belong to one connection or one moment.
    pub(crate) headers: Box<[(HeaderName, HeaderValue)]>,
    pub(crate) body: Bytes,
    /// The tag of a response with the status 200, and of any response that the handler tags itself.
    etag: Option<Validators>,
    /// Set if the handler sets `ETag` itself.
    has_own_etag: bool,
    pub(crate) own_caching: OwnCaching,
    pub(crate) is_compressible: bool,
    /// The compressed bodies. They are boxed, because most responses are never requested in another
    /// encoding.
    variants: OnceLock<Box<Variants>>,
}

/// The body as one request gets it.
pub(crate) struct Encoded<'a> {
    stored: &'a StoredResponse,
    /// `None` for the body as it is stored.
    variant: Option<Arc<Variant>>,
    /// Set if nothing will encode the body again on its way out.
    is_final: bool,
}

impl Encoded<'_> {
    pub(crate) fn encoding(&self) -> ContentEncoding {
        let variant = self.variant.as_ref();
        variant.map_or(ContentEncoding::Identity, |variant| variant.encoding)
    }

    pub(crate) fn body(&self) -> &Bytes {
        let variant = self.variant.as_ref();
        variant.map_or(&self.stored.body, |variant| &variant.body)
    }

    pub(crate) fn etag(&self) -> Option<&HeaderValue> {
        match (&self.variant, &self.stored.etag) {
            (Some(variant), _) => variant.etag.as_ref(),
            (None, Some(etag)) if self.is_final => Some(&etag.plain),
            (None, Some(etag)) => Some(&etag.weak),
            (None, None) => None,
        }
    }
}

/// The `ETag` of a response, made once.
struct Validators {
    plain: HeaderValue,
    /// The tag for bodies that middleware around us may still encode in another way.
    weak: HeaderValue,
}

impl Validators {
    /// Makes the tags of a representation from the hash of the body and of each header that a
    /// client receives with it. Responses that two clients could tell apart have different tags.
    ///
    /// The order of the headers does not count; that of several values of one name does.
    fn of_representation(headers: &[(HeaderName, HeaderValue)], body: &[u8]) -> Self {
        let mut described: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !is_about_caching(name))
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        described.sort_by_key(|(name, _)| *name);
        let mut hash = blake3::Hasher::new();
        for part in described
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value])
        {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        // No name is empty, so this length ends the headers: no header is taken for the beginning
        // of a body.
        hash.update(&0_u64.to_le_bytes());
        hash.update(body);
        Self::of_weak(format!("W/\"{}\"", &hash.finalize().to_hex()[..32]))
    }

    /// Takes the handler's own tag, which holds for its own bytes and only weakly for others.
    fn of_handler(value: &HeaderValue) -> Option<Self> {
        let tag: EntityTag = value.to_str().ok()?.parse().ok()?;
        Some(Self {
            plain: value.clone(),
            ..Self::of_weak(EntityTag::new_weak(tag.tag().into()).to_string())
        })
    }

    /// Makes both values in one allocation. `weak` is known to be printable ASCII.
    fn of_weak(weak: String) -> Self {
        let weak = Bytes::from(weak.into_boxed_str().into_boxed_bytes());
        Self {
            plain: value(weak.slice(2..)),
            weak: value(weak),
        }
    }

    /// Returns the tag of the body in this encoding. That is another representation, so it has
    /// another tag, unless the tag is the handler's own.
    fn encoded(&self, encoding: ContentEncoding, is_own: bool) -> HeaderValue {
        match self
            .plain
            .to_str()
            .ok()
            .and_then(|tag| tag.strip_suffix('"'))
        {
            Some(tag) if !is_own => value(format!("{tag}-{}\"", encoding.as_str()).into()),
            _ => self.weak.clone(),
        }
    }
}

/// Makes a header value of text that is known to be printable ASCII.
fn value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
}

/// Returns whether a header belongs to one connection or one moment, and is made anew for each
/// response.
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

/// Returns the headers that `Connection` names. They too belong to one connection: a handler that
/// passes on what an upstream has answered may have them.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lists = headers.get_all(header::CONNECTION);
    let names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    names
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

/// Returns whether a header says how long and where a response may be kept, and not what it is.
fn is_about_caching(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_targeted(name)
        || TagHeader::is_any(name)
        || matches!(
            name,
            "cache-control" | "cache-status" | "etag" | "expires" | "pragma"
        )
}

impl StoredResponse {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let named = named_by_connection(headers);
        let is_kept = |name: &HeaderName| !is_momentary(name) && !named.contains(name);
        let own = headers.get(header::ETAG).filter(|_| is_kept(&header::ETAG));
        let own = own.and_then(Validators::of_handler);
        let has_own = own.is_some();
        let kept = headers
            .iter()
            .filter(|(name, _)| is_kept(name) && !(has_own && *name == header::ETAG))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Self::of_parts(status, own, kept, body)
    }

    /// Makes a response of the parts from which all else follows. `own` is the validator that the
    /// handler set.
    fn of_parts(
        status: StatusCode,
        own: Option<Validators>,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Self {
        let map: HeaderMap = headers.iter().cloned().collect();
        Self {
            has_own_etag: own.is_some(),
            etag: own.or_else(|| {
                let is_tagged = status == StatusCode::OK;
                is_tagged.then(|| Validators::of_representation(&headers, &body))
            }),
            status,
            own_caching: OwnCaching::of(&map),
            is_compressible: encoding::is_compressible(&map, body.len()),
            headers: headers.into(),
            body,
            variants: OnceLock::new(),
        }
    }

    /// Returns the body in this encoding, or as it is if that encoding is not offered. Returns
    /// `None` if the encoded body has to be [made](Self::encode) first. `is_final` says that
    /// nothing will encode the body again on its way out.
    pub(crate) fn encoded(&self, encoding: ContentEncoding, is_final: bool) -> Option<Encoded<'_>> {
        if !self.offers(encoding) {
            return Some(self.as_it_is(is_final));
        }
        match self.variants.get()?.look_up(encoding, self.body.len()) {
            FoundVariant::Kept(variant) => Some(self.as_variant(variant)),
            FoundVariant::Refused => Some(self.as_it_is(is_final)),
            FoundVariant::Unmade => None,
        }
    }

    /// Returns the body as [`encoded`](Self::encoded) does, but makes it first if need be: once,
    /// however many requests want it, on a thread that may block.
    pub(crate) async fn encode(&self, encoding: ContentEncoding, is_final: bool) -> Encoded<'_> {
        if !self.offers(encoding) {
            return self.as_it_is(is_final);
        }
        let variants = self.variants.get_or_init(Box::default);
        let etag = || {
            let etag = self.etag.as_ref()?;
            Some(etag.encoded(encoding, self.has_own_etag))
        };
        match variants.make(encoding, &self.body, etag).await {
            Some(variant) => self.as_variant(variant),
            None => self.as_it_is(is_final),
        }
    }

    /// Returns the tag of the body as it is stored.
    pub(crate) fn etag(&self) -> Option<&HeaderValue> {
        self.etag.as_ref().map(|etag| &etag.plain)
    }

    /// Returns the date in the handler's `Last-Modified`.
    pub(crate) fn last_modified(&self) -> Option<HttpDate> {
        let date = self.header(header::LAST_MODIFIED)?;
        date.to_str().ok()?.parse().ok()
    }

    /// Returns the first value of a header.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&HeaderValue> {
        let mut headers = self.headers.iter();
        headers.find_map(|(other, value)| (*other == name).then_some(value))
    }

    fn offers(&self, encoding: ContentEncoding) -> bool {
        self.is_compressible && encoding != ContentEncoding::Identity
    }

    fn as_it_is(&self, is_final: bool) -> Encoded<'_> {
        Encoded {
            stored: self,
            variant: None,
            is_final,
        }
    }

    fn as_variant(&self, variant: Arc<Variant>) -> Encoded<'_> {
        Encoded {
            stored: self,
            variant: Some(variant),
            is_final: true,
        }
    }
}

impl StoredResponse {
    /// Returns the size in bytes. A compressible body counts twice, because its variants may
    /// together be as long as the body.
    pub(crate) fn weight(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| {
                name.as_str().len() + value.len() + size_of::<(HeaderName, HeaderValue)>()
            })
            .sum();
        let etag = self.etag.as_ref().map_or(0, |etag| etag.weak.len());
        size_of::<Self>() + headers + etag + self.body.len() + self.reserve()
    }

    /// Returns the part of the [weight](Self::weight) that is set aside for the body in other
    /// encodings.
    pub(crate) fn reserve(&self) -> usize {
        if self.is_compressible {
            Variants::WEIGHT + self.body.len()
        } else {
            0
        }
    }

    /// Appends the response as a store keeps it. Returns `None` if it is too long for that.
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

    /// Reads what [`write`](Self::write) wrote. Returns `None` for anything else.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (status, etag, headers, body) = wire::decode(bytes)?;
        let own = match etag {
            Some(etag) => Some(Validators::of_handler(&etag)?),
            None => None,
        };
        Some(Self::of_parts(status, own, headers, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: Vec<u8>) -> StoredResponse {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        StoredResponse::new(StatusCode::OK, &headers, body.into())
    }

    #[actix_web::test]
    async fn a_variant_has_to_be_made_once() {
        let response = text(vec![b'a'; 5000]);
        for encoding in [ContentEncoding::Brotli, ContentEncoding::Gzip] {
            assert!(response.encoded(encoding, false).is_none(), "not made yet");
            assert_eq!(response.encode(encoding, false).await.encoding(), encoding);
            let kept = response.encoded(encoding, false).unwrap();
            assert_eq!(kept.encoding(), encoding);
            assert!(kept.body().len() < 5000);
        }
    }

    #[actix_web::test]
    async fn each_encoding_has_its_own_etag() {
        let response = text(vec![b'a'; 5000]);
        let mut tags = Vec::new();
        for encoding in [
            ContentEncoding::Brotli,
            ContentEncoding::Zstd,
            ContentEncoding::Gzip,
            ContentEncoding::Identity,
        ] {
            let encoded = response.encode(encoding, true).await;
            assert_eq!(encoded.encoding(), encoding);
            tags.extend(
                encoded
                    .etag()
                    .and_then(|etag| etag.to_str().ok().map(String::from)),
            );
        }
        let plain = tags[3].trim_matches('"').to_owned();
        let expected = ["-br", "-zstd", "-gzip", ""].map(|suffix| format!("\"{plain}{suffix}\""));
        assert_eq!(tags, expected);
        let weak = response
            .encode(ContentEncoding::Identity, false)
            .await
            .etag()
            .cloned();
        assert_eq!(weak.unwrap(), format!("W/\"{plain}\""));
    }
}
