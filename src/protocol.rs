//! Wire data of plugin protocol 6: types, values, schemas and their encodings.
//!
//! Nothing here does I/O or waits. Decoding is driven by the schema, so that every error names the
//! attribute it is about; no error repeats the value that it complains of. What the values mean is
//! left to the layers above.

#[cfg(test)]
mod arbitrary;
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
pub mod ty;
pub mod value;
pub mod wire;

pub use diagnostic::{Diagnostic, Severity};
pub use error::{CodecError, Reason};
pub use function::Signature;
pub use number::{Number, NumberError};
pub use path::{AttributePath, Step};
pub use schema::{Attribute, IdentityAttribute, IdentitySchema, Kind, Mode, Nesting, Schema};
pub use ty::{Type, TypeError};
pub use value::Value;
pub use wire::acts_on_terminals;
