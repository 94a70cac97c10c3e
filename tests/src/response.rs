//! A response as a client reads it.

/// A response as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in the order in which they arrived, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it arrived, without the frames of chunks. Empty if the response can have none.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of the first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// Returns the body as text.
    ///
    /// # Panics
    ///
    /// If the body is not text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    /// Returns the value of `Cache-Status`, which says what the cache did, or `none` without it.
    #[must_use]
    pub fn cache_status(&self) -> &str {
        self.header("cache-status").unwrap_or("none")
    }
}
