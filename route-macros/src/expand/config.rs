//! The options of a declaration, as const data of the runtime.

use proc_macro2::TokenStream;
use quote::quote;

use super::param_type;
use crate::options::Printing;
use crate::spec::{HandlerSpec, RouteSpec};

/// Generates the `Config` of a handler. It sets only the options that were given and that have a
/// meaning for the handler's method. The rest have the runtime's defaults.
pub(super) fn config(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let params = spec.pattern.params().enumerate();
    let printing = Printing {
        pattern: &spec.pattern,
        param_types: params
            .map(|(index, param)| param_type(handler, index, param))
            .collect(),
    };
    let fields = spec.options.print(handler.method, &printing);
    quote! {
        ::route_runtime::__private::Config {
            #fields
            ..::route_runtime::__private::Config::DEFAULT
        }
    }
}
