//! The guard around each attribute macro. A panic inside a macro is our bug: it is reported as one,
//! and the user's item is still emitted.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::errors::Problem;

type Attribute = fn(TokenStream, TokenStream) -> TokenStream;

pub(crate) fn guard(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let survivor = item.clone();
    catch_unwind(AssertUnwindSafe(|| attribute(args, item))).unwrap_or_else(|panic| {
        let error = syn::Error::from(report(&*panic)).into_compile_error();
        quote! { #survivor #error }
    })
}

fn report(panic: &(dyn Any + Send)) -> Problem {
    let cause = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Problem::at(
        Span::call_site(),
        format_args!("bug in route-macros: {cause}"),
    )
    .help("report it with this attribute and what it stands on; nothing here is your mistake")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_survives_a_panic() {
        let out = guard(
            |_, _| panic!("out of segments"),
            TokenStream::new(),
            quote! { async fn post() {} },
        );
        let out = out.to_string();
        assert!(out.starts_with("async fn post () { }"), "{out}");
        assert!(out.contains("compile_error"), "{out}");
        assert!(
            out.contains("bug in route-macros: out of segments"),
            "{out}"
        );
    }
}
