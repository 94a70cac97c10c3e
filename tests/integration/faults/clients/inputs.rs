//! Types that clients send. Their names end in `Input`, so that a test can look for them.

use actix_multipart::form::MultipartForm;
use actix_multipart::form::json::Json;
use actix_multipart::form::text::Text;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read into")]
pub(super) struct ArticleInput {
    title: String,
    #[serde(default)]
    likes: u32,
    state: Option<StateInput>,
    place: Option<PlaceInput>,
    shape: Option<ShapeInput>,
    slug: Option<SlugInput>,
}

#[derive(Debug, Deserialize)]
pub(super) enum StateInput {
    Draft,
    Published,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read into")]
pub(super) struct PlaceInput(f64, f64);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only read into")]
pub(super) enum ShapeInput {
    Circle { radius: u8 },
    Square { side: u8 },
}

/// A type whose own words repeat the value.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SlugInput;

impl TryFrom<String> for SlugInput {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("{text} is no SlugInput"))
    }
}

#[derive(MultipartForm)]
#[multipart(deny_unknown_fields, duplicate_field = "deny")]
#[expect(dead_code, reason = "only read into")]
pub(super) struct UploadInput {
    pub(super) age: Text<u8>,
    article: Option<Json<ArticleInput>>,
}
