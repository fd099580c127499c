//! The configurations that stand in golden files.

use serde_json::Value;
use wd_nn::{ImageShape, VisionConfig};

/// A golden file's configuration: unlike in a run's, the size of the images and their classes stand
/// in it, and the loss is a table.
pub(crate) fn golden_config(json: &str) -> VisionConfig {
    let mut json: Value = serde_json::from_str(json).unwrap();
    let config = json.as_object_mut().unwrap();
    let image: ImageShape = serde_json::from_value(config.remove("image").unwrap()).unwrap();
    let classes = config.remove("classes").unwrap().as_u64().unwrap() as usize;
    if let Some(loss) = config.remove("loss") {
        let kind = loss["kind"].as_str().unwrap().replace('_', "-");
        config.insert("loss".into(), kind.into());
        if let Some(smoothing) = loss.get("label_smoothing") {
            config.insert("label_smoothing".into(), smoothing.clone());
        }
    }
    serde_json::from_value::<VisionConfig>(json).unwrap().on(image, classes)
}
