//! The attribute `#[page]`: a route that answers GET and claims its path for all methods.

use proc_macro2::TokenStream;

use crate::route::declare;
use crate::spec::Kind;

pub(crate) fn page(args: TokenStream, item: TokenStream) -> TokenStream {
    declare(Kind::Page, args, item)
}
