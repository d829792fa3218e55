//! MessagePack as a host may send it.
#![no_main]

mod shapes;

use libfuzzer_sys::fuzz_target;
use terraform_provider_claude::protocol::msgpack;

fuzz_target!(|input: &[u8]| {
    let Some((shape, bytes)) = shapes::chosen(input) else {
        return;
    };
    let read = match &shape {
        shapes::Shape::Of(ty) => msgpack::decode(ty, bytes),
        shapes::Shape::Object(attributes) => msgpack::decode_object(attributes, bytes),
    };
    match read {
        Ok(value) => shapes::assert_reads_back(&shape, &value),
        Err(error) => shapes::assert_silent(&shape, &error),
    }
});
