//! How long the largest pickles take. In release: `cargo test --release -p wd-audit --test
//! reader_speed -- --ignored --nocapture`.

use std::time::Instant;

use wd_audit::bytes::Bytes;
use wd_audit::file::pickle::Pickle;
use wd_audit::limits::Limits;

/// A state dictionary of `count` tensors as PyTorch writes it, with its memo.
fn state_dictionary(count: u32) -> Vec<u8> {
    let mut memo = 0_u32;
    let mut put = |out: &mut Vec<u8>| {
        out.push(b'r');
        out.extend(memo.to_le_bytes());
        memo += 1;
        memo - 1
    };
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(b'X');
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let get = |out: &mut Vec<u8>, at: u32| {
        out.push(b'j');
        out.extend(at.to_le_bytes());
    };
    let mut out = b"\x80\x02".to_vec();
    out.extend(b"ccollections\nOrderedDict\n");
    let ordered = put(&mut out);
    out.extend(b")R");
    put(&mut out);
    out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
    let rebuild = put(&mut out);
    out.extend(b"0ctorch\nFloatStorage\n");
    let class = put(&mut out);
    out.push(b'0');
    text(&mut out, "storage");
    let storage = put(&mut out);
    out.extend(b"0");
    text(&mut out, "cpu");
    let cpu = put(&mut out);
    out.extend(b"0(");
    for at in 0..count {
        text(&mut out, &format!("model.layers.{}.mlp.experts.{}.weight", at / 384, at % 384));
        put(&mut out);
        get(&mut out, rebuild);
        out.extend(b"((");
        get(&mut out, storage);
        get(&mut out, class);
        text(&mut out, &at.to_string());
        put(&mut out);
        get(&mut out, cpu);
        out.extend(b"K\x06t");
        put(&mut out);
        out.extend(b"QK\x00K\x02K\x03\x86");
        put(&mut out);
        out.extend(b"K\x03K\x01\x86");
        put(&mut out);
        out.push(0x89);
        get(&mut out, ordered);
        out.extend(b")R");
        put(&mut out);
        out.push(b't');
        put(&mut out);
        out.push(b'R');
        put(&mut out);
    }
    out.extend(b"u.");
    out
}

#[test]
fn a_large_state_dictionary_is_read_whole() {
    let pickle = Bytes::from(state_dictionary(1_000));
    let (pickle, end) = Pickle::read(&pickle, 0, Limits::DEFAULT).unwrap();
    assert_eq!(pickle.storages.len(), 1_000);
    let items = pickle.root().items();
    assert_eq!((items.len(), end > 0), (1_000, true));
    assert_eq!(items[999].0.text(), Some("model.layers.2.mlp.experts.231.weight"));
    assert!(items.iter().all(|(_, value)| value.is_tensor()));
}

#[test]
#[ignore = "a measurement, for release builds"]
fn a_hundred_thousand_tensors_take_less_than_a_tenth_of_a_second() {
    let bytes = Bytes::from(state_dictionary(100_000));
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let (pickle, _) = Pickle::read(&bytes, 0, Limits::DEFAULT).unwrap();
        let items = pickle.root().items();
        assert_eq!(items.len(), 100_000);
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{} bytes, {best:.3} s", bytes.len());
    assert!(best < 0.1, "{best} s");
}
