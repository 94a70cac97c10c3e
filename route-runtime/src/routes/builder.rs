//! The settings of [`Routes`], one method for each.

use std::sync::Arc;

use actix_web::web::ServiceConfig;

use super::Routes;
use crate::declaration::TagHeader;
use crate::mode::Mode;
use crate::store::MemoryOptions;

impl Routes {
    /// Registers app data: one instance for the process, which every handler sees as
    /// [`web::Data<T>`](actix_web::web::Data).
    ///
    /// A second value of the same type replaces the first.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::{App, test, web::Data};
    /// use route_runtime::{Routes, RoutesError, route};
    ///
    /// #[route("/motto")]
    /// async fn motto(motto: Data<String>) -> String {
    ///     motto.to_string()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([motto::ROUTE])?.data(String::from("once is enough"));
    /// let app = test::init_service(App::new().service(routes)).await;
    /// let request = test::TestRequest::with_uri("/motto").to_request();
    /// assert_eq!(test::call_and_read_body(&app, request).await, "once is enough");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn data<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.served.setup.data.insert(value);
        Self::of(self.served.setup)
    }

    /// Configures the app of each renderer. Renderers are the threads on which cached handlers run.
    ///
    /// The function is called once per thread, as in [`App::configure`], and so it makes a value
    /// once per thread. Give the same function to the `App`, so that dynamic handlers see the same
    /// data. [`Server::configure`] does both.
    ///
    /// [`App::configure`]: actix_web::App::configure
    /// [`Server::configure`]: crate::Server::configure
    ///
    /// # Example: One instance for the app and the renderers
    ///
    /// ```
    /// use actix_web::{App, web::{Data, ServiceConfig}};
    /// use route_runtime::{Routes, RoutesError};
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let shared = Data::new(String::from("made once"));
    /// let configure = move |config: &mut ServiceConfig| {
    ///     config.app_data(shared.clone());
    /// };
    /// let routes = Routes::from_iter([])?.configure(configure.clone());
    /// let app = move || App::new().configure(configure.clone()).service(routes.clone());
    /// # drop(app);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn configure(
        mut self,
        configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static,
    ) -> Self {
        self.served.setup.configure.push(Arc::new(configure));
        Self::of(self.served.setup)
    }

    /// Sets the mode, development or production, whatever the environment says.
    ///
    /// # Example: Only production keeps a response
    ///
    /// ```
    /// use actix_web::{App, test};
    /// use route_runtime::{Mode, Routes, RoutesError, route};
    ///
    /// #[route("/fixed")]
    /// async fn fixed() -> &'static str {
    ///     "rendered once"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// for (mode, renders) in [(Mode::Production, 1), (Mode::Development, 0)] {
    ///     let routes = Routes::from_iter([fixed::ROUTE])?.mode(mode);
    ///     let app = test::init_service(App::new().service(routes.clone())).await;
    ///     for _ in 0..2 {
    ///         let request = test::TestRequest::with_uri("/fixed").to_request();
    ///         assert_eq!(test::call_and_read_body(&app, request).await, "rendered once");
    ///     }
    ///     assert_eq!(routes.stats().renders, renders); // Counts only renders for the cache.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mode(self, mode: Mode) -> Self {
        Self::of(self.served.setup.in_mode(mode))
    }

    /// Lets shared caches outside keep cached responses, unless a route says otherwise.
    ///
    /// This is off by default. Then every use of a response is validated here, so that
    /// `revalidate_*` and middleware that authorises requests take effect everywhere.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::{App, http::header::CACHE_CONTROL, test};
    /// use route_runtime::{Mode, Routes, RoutesError, route};
    ///
    /// #[route("/logo", revalidate = false)]
    /// async fn logo() -> &'static str {
    ///     "<svg/>"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([logo::ROUTE])?.mode(Mode::Production).cdn(true);
    /// let app = test::init_service(App::new().service(routes)).await;
    /// let request = test::TestRequest::with_uri("/logo").to_request();
    /// let response = test::call_service(&app, request).await;
    /// let control = response.headers().get(CACHE_CONTROL).unwrap();
    /// assert_eq!(control, "max-age=0, s-maxage=31536000, public"); // A year.
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cdn(mut self, cdn: bool) -> Self {
        self.served.setup.cdn = cdn;
        Self::of(self.served.setup)
    }

    /// Sets the header in which shared caches outside read the tags of a response. The default is
    /// [`TagHeader::CacheTag`].
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::{App, test};
    /// use route_runtime::{Mode, Routes, RoutesError, TagHeader, route};
    ///
    /// #[route("/logo", tags = ["images"], cdn = true)]
    /// async fn logo() -> &'static str {
    ///     "<svg/>"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([logo::ROUTE])?.mode(Mode::Production);
    /// let routes = routes.tag_header(TagHeader::SurrogateKey); // Fastly
    /// let app = test::init_service(App::new().service(routes)).await;
    /// let request = test::TestRequest::with_uri("/logo").to_request();
    /// let response = test::call_service(&app, request).await;
    /// assert_eq!(response.headers().get("surrogate-key").unwrap(), "/logo images");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tag_header(mut self, header: TagHeader) -> Self {
        self.served.setup.tag_header = header;
        Self::of(self.served.setup)
    }

    /// Sets the number of places for renders that requests wait for. The default is 128; 0 is taken
    /// for 1.
    ///
    /// The places are shared out among handlers. A handler may start a render if it has none under
    /// way, or if it has fewer under way than places are free: one handler alone may run half as
    /// many renders as there are places, and no handler can take the first place of another. With
    /// one place, each handler renders one path at a time. Other renders wait for up to 10 seconds,
    /// 1024 for each handler. Requests whose render is turned away are answered with 503.
    ///
    /// # Example: One request at a time for each upstream
    ///
    /// ```
    /// # use route_runtime::{Routes, RoutesError};
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::collect()?.renders(1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn renders(mut self, places: usize) -> Self {
        self.served.setup.places.renders = places.max(1);
        Self::of(self.served.setup)
    }

    /// Sets the number of places for renders that replace stale responses and data. The default is
    /// 4 for each core; 0 is taken for 1.
    ///
    /// The places are shared out among handlers as those for [`renders`](Self::renders) are. An entry
    /// whose refresh gets no place stays stale, and a later request tries again.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, RoutesError};
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::collect()?.refreshes(2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn refreshes(mut self, places: usize) -> Self {
        self.served.setup.places.refreshes = places.max(1);
        Self::of(self.served.setup)
    }

    /// Limits the responses and data in memory to this many bytes. The default is 50 MB.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, RoutesError};
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::collect()?.cache_capacity(200_000_000);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cache_capacity(mut self, bytes: u64) -> Self {
        self.served.setup.memory = MemoryOptions::with_capacity(bytes);
        Self::of(self.served.setup)
    }
}
