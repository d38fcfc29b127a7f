#!/usr/bin/env bash
# The ablations of pose2video (paper, Table 5) after equal training on one person's 20 seconds, in poses not seen before:
#   benchmarks/pose2video_ablation.sh SCRATCH [STEPS]
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# STEPS: of each stage, batches of two at 128 x 64 px; a step is 0.4 seconds of one CPU core, twice that with opponents.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
steps=${2:-1000}

# The same person six times: twenty seconds to learn from, and four each of another dance and of other movement.
retarget synth "$scratch/one" --clips 1 --frames 500 --size 192 --seed 5 --camera static --kinds dance --with none
clips=()
for kind in dance spline walk turn jump; do
  retarget synth "$scratch/$kind" --clips 1 --frames 100 --size 192 --seed 5 --camera static --kinds "$kind" --with none
  clips+=("$scratch/$kind/clips/0000/self")
done
# Others, of whom postures alone are looked at.
retarget synth "$scratch/others" --clips 24 --frames 48 --size 64 --seed 3000 --with none --views 1

learn() { # RUN STEPS OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 steps=$2 resumed=()
  shift 2
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train pose2video --data "$scratch/one" --output "$run" --steps "$steps" --size 192 --batch 2 \
    --decay --ema 0.99 --precision bf16 --workers 1 --seed 0 "${resumed[@]}" "$@"
}
form=(--set resolution=128 --set width=16 --set levels=3)
alone=(--rate 1e-3 "${form[@]}" --set adversarial=0 --set unpaired=off)

learn stage1_causal_plain "$steps" "${alone[@]}" --set stages=1 --set causal=yes --set augment=off
learn stage1_causal "$steps" "${alone[@]}" --set stages=1 --set causal=yes
learn stage1 "$steps" "${alone[@]}" --set stages=1
learn stage1_twice $((2 * steps)) "${alone[@]}" --set stages=1
learn stage2 $((2 * steps)) "${alone[@]}"
# Both go on from the same weights against opponents; one of them also in others' poses.
more=(--init "$scratch/stage2/weights.safetensors" --set discriminator_width=16 --rate 2e-4)
learn stage2_opponents $((steps / 2)) "${more[@]}" --set unpaired=off
learn stage2_unpaired $((steps / 2)) "${more[@]}" --driving "$scratch/others"
# The same with opponents that count for a fifth.
learn gentle_opponents $((steps / 2)) "${more[@]}" --set adversarial=0.2 --set unpaired=off
learn gentle_unpaired $((steps / 2)) "${more[@]}" --set adversarial=0.2 --driving "$scratch/others"

python benchmarks/pose2video_poses.py --clips "${clips[@]}" --runs "$scratch/stage1_causal_plain" "$scratch/stage1_causal" \
  "$scratch/stage1" "$scratch/stage2" "$scratch/stage2_opponents" "$scratch/stage2_unpaired" > "$scratch/order.md"
python benchmarks/pose2video_poses.py --clips "${clips[@]}" --runs "$scratch/stage2" "$scratch/gentle_opponents" \
  "$scratch/gentle_unpaired" > "$scratch/gentle.md"
python benchmarks/pose2video_poses.py --clips "${clips[@]}" --runs "$scratch/stage1_twice" "$scratch/stage2" \
  > "$scratch/twice.md"
