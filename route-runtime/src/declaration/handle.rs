//! The parts of a route's handle: paths that are built from typed parameters, and the parameters
//! that `static_params` lists.

use std::fmt::Display;
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, Handler, HttpRequest};
use futures_core::future::LocalBoxFuture;

use crate::extract::OptionalParam;
use crate::pattern::{Segment, encode_segment, is_segment};

/// A value for the parameter `[id]` of a handler that binds it to a `T`: a `T`, a `&T`, or, if `T`
/// is `String`, a `&str`.
///
/// Any text is encoded. However, three texts cannot be a segment of a path, encoded or not: the
/// empty text, `.` and `..`. Clients and proxies drop or resolve them, so a path that is built from
/// one of them leads elsewhere. Check for them if a value comes from a user. A `static_params` that
/// returns one of them fails.
///
/// # Example
///
/// ```
/// use route_runtime::route;
///
/// #[route("/api/songs/[id]")]
/// async fn song(id: u64) -> String {
///     id.to_string()
/// }
///
/// #[route("/api/users/[name]")]
/// async fn user(name: String) -> String {
///     name
/// }
///
/// assert_eq!(song::path(7), "/api/songs/7");
/// assert_eq!(song::path(&7), "/api/songs/7");
/// assert_eq!(user::path("a b/c"), "/api/users/a%20b%2Fc");
/// assert_eq!(user::path(""), "/api/users/"); // Not a path of this route.
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of a parameter of type `{T}`",
    label = "expected a `{T}`, which implements `Display`"
)]
pub trait PathArg<T> {
    /// Returns the value's text, not yet encoded.
    fn text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: Display> PathArg<T> for T {
    fn text(&self) -> String {
        self.to_string()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Display> PathArg<T> for &T {
    fn text(&self) -> String {
        self.to_string()
    }
}

#[diagnostic::do_not_recommend]
impl PathArg<String> for &str {
    fn text(&self) -> String {
        (*self).into()
    }
}

/// The values for the parameter `[...slug]` or `[[...slug]]` of a handler that binds it to a `C`:
/// anything that iterates over values, each of which is one segment.
///
/// # Example
///
/// ```
/// use route_runtime::route;
///
/// #[route("/manual/[...slug]")]
/// async fn manual(slug: Vec<String>) -> String {
///     slug.join(" ")
/// }
///
/// assert_eq!(manual::path(["a", "b c"]), "/manual/a/b%20c");
/// assert_eq!(manual::path(vec![String::from("a")]), "/manual/a");
/// ```
pub trait PathArgs<C> {
    /// Returns the values' texts, not yet encoded.
    fn texts(self) -> Vec<String>;
}

#[diagnostic::do_not_recommend]
impl<C, I> PathArgs<C> for I
where
    C: OptionalParam,
    I: IntoIterator,
    I::Item: PathArg<C::Item>,
{
    fn texts(self) -> Vec<String> {
        self.into_iter().map(|value| value.text()).collect()
    }
}

/// A builder that writes the segments of a pattern, with values in place of its parameters.
pub struct PathBuilder {
    segments: std::slice::Iter<'static, Segment>,
    out: String,
}

impl PathBuilder {
    /// Starts a path at the beginning of a pattern.
    #[must_use]
    pub fn new(segments: &'static [Segment]) -> Self {
        Self {
            segments: segments.iter(),
            out: String::new(),
        }
    }

    /// Writes the value of the next parameter, which is an `[id]`.
    #[must_use]
    pub fn single<T>(mut self, value: impl PathArg<T>) -> Self {
        self.skip_to_param();
        self.push(&value.text());
        self
    }

    /// Writes the values of the next parameter, which is a catch-all.
    #[must_use]
    pub fn many<C>(mut self, values: impl PathArgs<C>) -> Self {
        self.skip_to_param();
        for text in values.texts() {
            self.push(&text);
        }
        self
    }

    /// Writes the rest of the pattern, and returns the path.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.skip_to_param();
        if self.out.is_empty() {
            self.out.push('/');
        }
        self.out
    }

    fn skip_to_param(&mut self) {
        while let Some(segment) = self.segments.next() {
            match segment {
                Segment::Literal(text) => self.push(text),
                Segment::Group(_) => {}
                Segment::Param(_) | Segment::CatchAll(_) | Segment::OptionalCatchAll(_) => break,
            }
        }
    }

    fn push(&mut self, text: &str) {
        self.out.push('/');
        encode_segment(text, &mut self.out);
    }
}

/// The function that calls the `static_params` of a declaration. It lists the parameters of every
/// path to be rendered ahead. Each item has one text per segment of each parameter.
pub(crate) type StaticParams =
    fn(HttpRequest) -> LocalBoxFuture<'static, actix_web::Result<Vec<ParamTexts>>>;

/// The texts of a path's parameters, in the pattern's order, not yet encoded.
pub(crate) type ParamTexts = Vec<Vec<String>>;

/// Calls the function that `static_params` names. `P` is the tuple of the pattern's parameters.
///
/// Fails if the function fails, or if it returns a text that cannot be a segment of a path.
pub fn static_params<P, F, Args>(
    function: F,
    request: HttpRequest,
) -> LocalBoxFuture<'static, actix_web::Result<Vec<ParamTexts>>>
where
    F: ParamFunction<Args>,
    F::List: ParamList<P>,
    Args: 'static,
{
    Box::pin(async move {
        let list = function.list(request).await?.into_texts()?;
        match list
            .iter()
            .flatten()
            .flatten()
            .find(|text| !is_segment(text))
        {
            Some(text) => Err(actix_web::error::ErrorInternalServerError(format!(
                "`static_params` gave `{text}`, which is no segment of a path"
            ))),
            None => Ok(list),
        }
    })
}

/// A function that `static_params` may name.
#[diagnostic::on_unimplemented(
    message = "`static_params` names no function that lists parameters: `{Self}`",
    label = "not such a function",
    note = "expected an `async fn` whose arguments are extractors, such as `web::Data<T>`, and \
            which returns a `Vec` of parameters"
)]
pub trait ParamFunction<Args>: 'static {
    /// The list that the function returns.
    type List;
    /// Calls the function with arguments that are extracted from the request.
    fn list(self, request: HttpRequest) -> LocalBoxFuture<'static, actix_web::Result<Self::List>>;
}

#[diagnostic::do_not_recommend]
impl<F, Args> ParamFunction<Args> for F
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
{
    type List = F::Output;

    fn list(self, request: HttpRequest) -> LocalBoxFuture<'static, actix_web::Result<F::Output>> {
        Box::pin(async move {
            let args = Args::from_request(&request, &mut Payload::None).await;
            Ok(self.call(args.map_err(Into::into)?).await)
        })
    }
}

/// A parameter `[id]`, bound to a `T`.
pub struct One<T>(PhantomData<T>);

/// A catch-all, bound to a `C`.
pub struct Many<C>(PhantomData<C>);

/// A list that a `static_params` function may return: the parameters of each path, or a `Result` of
/// such a list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list the pattern's parameters",
    label = "`static_params` gives something else than the pattern takes",
    note = "one parameter: `Vec<T>`, of the type the handler binds it to, or of `&str` for \
            `String`; several: `Vec<(A, B)>`, in the pattern's order; a catch-all: a `Vec` per path",
    note = "or `Result<Vec<_>, E>` of any `E` that converts into `actix_web::Error`"
)]
pub trait ParamList<P> {
    /// Returns the texts of each path's parameters.
    fn into_texts(self) -> actix_web::Result<Vec<ParamTexts>>;
}

#[diagnostic::do_not_recommend]
impl<P, V: ParamSet<P>> ParamList<P> for Vec<V> {
    fn into_texts(self) -> actix_web::Result<Vec<ParamTexts>> {
        Ok(self.into_iter().map(ParamSet::texts).collect())
    }
}

#[diagnostic::do_not_recommend]
impl<P, V: ParamSet<P>, const N: usize> ParamList<P> for [V; N] {
    fn into_texts(self) -> actix_web::Result<Vec<ParamTexts>> {
        Ok(self.into_iter().map(ParamSet::texts).collect())
    }
}

#[diagnostic::do_not_recommend]
impl<P, L: ParamList<P>, E: Into<actix_web::Error>> ParamList<P> for Result<L, E> {
    fn into_texts(self) -> actix_web::Result<Vec<ParamTexts>> {
        self.map_err(Into::into)?.into_texts()
    }
}

/// The parameters of one path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give the pattern's parameters",
    label = "`static_params` gives something else than the pattern takes",
    note = "one parameter: its value, of the type the handler binds it to, or `&str` for `String`; \
            several: a tuple of them in the pattern's order; a catch-all: a `Vec`"
)]
pub trait ParamSet<P> {
    /// Returns one list of texts per parameter.
    fn texts(self) -> ParamTexts;
}

/// The value of one parameter.
pub trait ParamValue<K> {
    /// Returns one text per segment.
    fn texts(self) -> Vec<String>;
}

#[diagnostic::do_not_recommend]
impl<T, V: PathArg<T>> ParamValue<One<T>> for V {
    fn texts(self) -> Vec<String> {
        vec![self.text()]
    }
}

#[diagnostic::do_not_recommend]
impl<C, V: PathArgs<C>> ParamValue<Many<C>> for V {
    fn texts(self) -> Vec<String> {
        PathArgs::texts(self)
    }
}

#[diagnostic::do_not_recommend]
impl<K, V: ParamValue<K>> ParamSet<(K,)> for V {
    fn texts(self) -> ParamTexts {
        vec![ParamValue::texts(self)]
    }
}

macro_rules! param_set {
    ($($kind:ident $value:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<$($kind,)* $($value: ParamValue<$kind>),*> ParamSet<($($kind,)*)> for ($($value,)*) {
            fn texts(self) -> ParamTexts {
                #[allow(non_snake_case, reason = "values named by their types")]
                let ($($value,)*) = self;
                vec![$(ParamValue::texts($value)),*]
            }
        }
    };
}

param_set!(A V, B W);
param_set!(A V, B W, C X);
param_set!(A V, B W, C X, D Y);
param_set!(A V, B W, C X, D Y, E Z);
