//! The values of the one cache: the responses of routes, and the data that they are made of.
//!
//! A path is the key of a response, and no key of data is a path. So a value that is found under a
//! key is of the kind that was asked for.

use std::sync::Arc;

use actix_web::web::Bytes;

pub(crate) use self::directives::{directives, has_bare_directive};
pub(crate) use self::encoding::preferred;
pub(crate) use self::individual::{
    BrokenBody, Individual, Reason, RenderedBody, RenderedResponse, is_event_stream,
};
pub(crate) use self::own_caching::{OwnCaching, is_targeted};
pub(crate) use self::response::{Encoded, StoredResponse};
use crate::engine::Value;

mod directives;
mod encoding;
#[cfg(feature = "fetch")]
mod fetch_error;
#[cfg(feature = "fetch")]
mod fetched;
mod individual;
mod own_caching;
mod response;
mod variants;
mod wire;

#[cfg(feature = "fetch")]
pub(crate) use self::fetch_error::ErrorKind;

#[cfg(feature = "fetch")]
pub use self::fetch_error::FetchError;

#[cfg(feature = "fetch")]
pub use self::fetched::FetchResponse;

/// A value of the cache.
pub(crate) enum Stored {
    /// The response of a route. It is boxed, because data is much smaller.
    Response(Box<StoredResponse>),
    /// The result of a fetch. An error is shared with those who waited, and never kept.
    #[cfg(feature = "fetch")]
    Fetched(Result<FetchResponse, FetchError>),
    /// The serialised value of a cached function. `None` says that there is nothing to share: each
    /// caller that waited calls the function itself.
    Returned(Option<Bytes>),
}

impl Stored {
    pub(crate) fn response(&self) -> Option<&StoredResponse> {
        match self {
            Self::Response(response) => Some(response),
            _ => None,
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn fetched(&self) -> Option<&Result<FetchResponse, FetchError>> {
        match self {
            Self::Fetched(fetched) => Some(fetched),
            _ => None,
        }
    }

    pub(crate) fn returned(&self) -> Option<&Bytes> {
        match self {
            Self::Returned(returned) => returned.as_ref(),
            _ => None,
        }
    }
}

/// The first byte of an encoded value, which tells its kind.
const RESPONSE: u8 = b'r';
#[cfg(feature = "fetch")]
const FETCHED: u8 = b'f';
const RETURNED: u8 = b'v';

impl Value for Stored {
    type Individual = Individual;

    fn weight(&self) -> usize {
        match self {
            Self::Response(response) => response.weight(),
            #[cfg(feature = "fetch")]
            Self::Fetched(Ok(response)) => response.weight(),
            #[cfg(feature = "fetch")]
            Self::Fetched(Err(_)) => size_of::<Self>(),
            Self::Returned(bytes) => size_of::<Self>() + bytes.as_ref().map_or(0, Bytes::len),
        }
    }

    fn reserve(&self) -> usize {
        self.response().map_or(0, StoredResponse::reserve)
    }

    fn encode(&self) -> Option<Arc<[u8]>> {
        let mut bytes = Vec::new();
        match self {
            Self::Response(response) => {
                bytes.push(RESPONSE);
                response.write(&mut bytes)?;
            }
            #[cfg(feature = "fetch")]
            Self::Fetched(Ok(response)) => {
                bytes.push(FETCHED);
                response.write(&mut bytes)?;
            }
            #[cfg(feature = "fetch")]
            Self::Fetched(Err(_)) => return None,
            Self::Returned(value) => {
                bytes.push(RETURNED);
                bytes.extend_from_slice(value.as_ref()?);
            }
        }
        Some(bytes.into())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&RESPONSE, rest) => {
                let response = StoredResponse::read(rest)?;
                Some(Self::Response(Box::new(response)))
            }
            #[cfg(feature = "fetch")]
            (&FETCHED, rest) => {
                FetchResponse::read(rest).map(|response| Self::Fetched(Ok(response)))
            }
            (&RETURNED, rest) => Some(Self::Returned(Some(Bytes::copy_from_slice(rest)))),
            _ => None,
        }
    }
}
