#!/usr/bin/env bash
# The ablations of pose2video (paper, Table 5) after equal training on one person's 20 seconds, in poses not seen before:
#   benchmarks/pose2video_ablation.sh SCRATCH [STEPS]
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# STEPS: of each run, batches of two at 128 x 64 px; a step is half a second of one CPU core.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
steps=${2:-1000}

# The same person three times: twenty seconds to learn from, and four each of another dance and of all kinds of poses.
retarget synth "$scratch/one" --clips 1 --frames 500 --size 192 --seed 5 --camera static --kinds dance --with none
retarget synth "$scratch/dance" --clips 1 --frames 100 --size 192 --seed 5 --camera static --kinds dance --with none
retarget synth "$scratch/poses" --clips 1 --frames 100 --size 192 --seed 5 --camera static --kinds spline --with none

learn() { # RUN OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 resumed=()
  shift
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train pose2video --data "$scratch/one" --output "$run" --steps "$steps" --size 192 --batch 2 \
    --rate 1e-3 --decay --ema 0.99 --precision bf16 --workers 1 --seed 0 --set resolution=128 --set width=16 \
    --set adversarial=0 --set unpaired=off "${resumed[@]}" "$@"
}

learn stage2 --set share=0.6
learn stage1 --set stages=1
learn stage1_causal --set stages=1 --set causal=yes
learn stage1_causal_plain --set stages=1 --set causal=yes --set augment=off

for clip in dance poses; do
  python benchmarks/pose2video_poses.py "$scratch/$clip/clips/0000/self" "$scratch/stage2" "$scratch/stage1" \
    "$scratch/stage1_causal" "$scratch/stage1_causal_plain" > "$scratch/$clip.md"
done
