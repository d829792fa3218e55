//! JSON of a stored state, and the types that dynamic values bring.
#![no_main]

mod shapes;

use libfuzzer_sys::fuzz_target;
use terraform_provider_claude::protocol::{Type, json};

fuzz_target!(|input: &[u8]| {
    if let Some(ty) = Type::from_json(input) {
        let again = Type::from_json(&ty.to_json());
        assert_eq!(again, Some(ty));
    }
    let Some((shape, text)) = shapes::chosen(input) else {
        return;
    };
    let read = match &shape {
        shapes::Shape::Of(ty) => json::decode(ty, text),
        shapes::Shape::Object(attributes) => json::decode_object(attributes, text),
    };
    match read {
        Ok(value) => {
            assert!(value.is_wholly_known(), "JSON has no unknown values");
            shapes::assert_reads_back(&shape, &value);
        }
        Err(error) => shapes::assert_silent(&shape, &error),
    }
});
