#!/usr/bin/env bash
# Makes liquid-warp-256.safetensors anew, in about an hour and a half of two CPU cores:
#   weights/train_liquid_warp.sh SCRATCH [CLIPS]
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# CLIPS: a folder of clips to learn from beside the made-up people; manifest.toml says which the shipped weights had.
# The same seeds give the same people and examples; sums are rounded as the machine at hand does it.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
clips=${2:-}
name=liquid-warp-256.safetensors

learn() { # RUN STEPS PEOPLE OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 steps=$2 people=$scratch/$3 resumed=()
  shift 3
  [ -f "$run/config.json" ] && resumed=(--resume)
  retarget train liquid-warp --data "$people" ${clips:+--data "$clips"} --output "$run" --steps "$steps" \
    --sources 2 --clip 10 --workers 1 --set discriminator_width=32 "${resumed[@]}" "$@"
}

retarget synth "$scratch/people" --clips 197 --frames 16 --size 256 --seed 1000
# The same first ten of them alone, so that real clips are half of what the last steps see.
retarget synth "$scratch/few" --clips 10 --frames 16 --size 256 --seed 1000
learn small 3534 people --size 128 --batch 2 --rate 5e-4 --ema 0.999 --set width=32 --set depth=4
learn large 1400 people --size 256 --batch 1 --rate 4e-4 --decay --ema 0.998 --init "$scratch/small/weights.safetensors"
learn last 400 few --size 256 --batch 1 --rate 1.5e-4 --decay --ema 0.99 --init "$scratch/large/weights.safetensors"

python -m retarget_cli.weights.shipping "$scratch/last/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_liquid_warp.sh SCRATCH CLIPS" \
  --provenance "retarget train liquid-warp from nothing: 3534 steps of 2 at 128 px, 1400 of 1 at 256 px on all, 400 of 1 at 256 px on the clips and ten of the made-up ones, on two CPU cores; no VGG-19 and no Sphere20a, their declared substitutes" \
  --data "197 clips of retarget synth (seed 1000; CC0), and five clips with a permissive licence: dancing man (google-ai-edge/mediapipe, Apache-2.0), two made-up dancers (Tencent/MimicMotion, Apache-2.0), squats and balancing (tensorflow/tfjs-models, Apache-2.0)"
