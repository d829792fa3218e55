//! Wire data of plugin protocol 6: types, values, schemas, and their encodings.
//!
//! Nothing here does I/O or waits. The schema drives the decoding, so every error has the path of
//! its attribute, and no error quotes the value. The layers above give the values their meaning.

pub mod diagnostic;
pub mod error;
pub mod function;
pub mod generated;
pub mod json;
pub mod msgpack;
pub mod number;
pub mod path;
pub mod schema;
pub(crate) mod shape;
pub mod text;
pub mod ty;
pub mod value;
pub mod wire;

pub use diagnostic::{Diagnostic, Severity, Site};
pub use error::{CodecError, CodecErrorKind};
pub use function::Signature;
pub use number::{Number, NumberError};
pub use path::{AttributePath, Step};
pub use schema::{Attribute, Kind, Mode, Nesting, Schema};
pub use text::{Command, Text, quoted};
pub use ty::Type;
pub use value::Value;
pub use wire::acts_on_terminals;

pub(crate) use text::text;

#[cfg(test)]
mod tests {
    pub(super) mod arbitrary;
}
