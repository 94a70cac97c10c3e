//! What a client reads.

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In the order in which they came, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came, without the chunks' frames; empty where there can be none.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    /// The header by which a cache says what it did.
    #[must_use]
    pub fn cache_status(&self) -> &str {
        self.header("cache-status").unwrap_or("none")
    }
}
