//! Header values that are made for each response.

use actix_web::http::header::HeaderValue;
use smallvec::SmallVec;

/// Makes a header value of a number, in one allocation, because this runs on every hit.
pub(super) fn number(number: u64) -> HeaderValue {
    HeaderValue::from_str(itoa::Buffer::new().format(number)).unwrap_or(EMPTY)
}

/// Makes a header value of a number and the text around it, also in one allocation.
pub(super) fn with_number(before: &str, number: i64, after: &str) -> HeaderValue {
    let mut value: SmallVec<[u8; 64]> = SmallVec::new();
    value.extend_from_slice(before.as_bytes());
    value.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    value.extend_from_slice(after.as_bytes());
    HeaderValue::from_bytes(&value).unwrap_or(EMPTY)
}

/// Makes a header value of text that is known to be printable.
pub(super) fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(EMPTY)
}

/// The value that stands for text that is no header value, which none of ours is.
const EMPTY: HeaderValue = HeaderValue::from_static("");
