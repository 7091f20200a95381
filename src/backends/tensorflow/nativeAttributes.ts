import type { Tfjs } from './runtime.js';

/** Every name of an attribute that tfjs-node 4.22 gives to an operation. */
export const ATTRIBUTES = `
  acceptable_fraction adj_x adj_y align_corners alpha axis batch_dims begin_mask beta bias block_size channels
  chroma_downsampling compression container data_format dct_method density_unit depth_radius dilations DstT
  ellipsis_mask end_mask epsilon equation exclusive explicit_paddings extrapolation_value fancy_upscaling
  format half_pixel_centers Index index_type is_training keep_dims ksize method mode N new_axis_mask num
  num_split optimize_size out_idx output_dtype output_type pad_to_max_output_size padding pattern progressive
  quality rates ratio replace_global reverse rewrite seed seed2 shared_name shrink_axis_mask sorted SrcT
  strides T T_threshold Taxis Tblock_shape Tcomplex Tcrops TI Tidx Tindices Tlen Tmultiples Tnumsegments Tout
  Tpaddings Tparams Tperm Truncate try_recover_truncated Tshape use_cudnn_on_gpu validate_indices x_density
  xmp_metadata y_density
`
  .trim()
  .split(/\s+/);

interface Binding {
  readonly TF_ATTR_BOOL: number;
  executeOp(
    name: string,
    attributes: readonly object[],
    inputs: readonly number[],
    outputs: unknown,
  ): unknown;
}

/**
 * Makes tfjs-node's binding know all names of attributes; for the main thread, before workers compute. The
 * binding keeps each name it meets in a set that all threads of the process share, without a lock
 * (`ATTR_NAME_SET` in binding/tfjs_backend.cc): two workers that meet new names at once lose attributes, or
 * crash the process. Names that are there already are only looked up, which is safe.
 */
export function nameAttributes(tf: Tfjs): void {
  const { binding } = tf.backend() as unknown as { readonly binding: Binding };
  const named = ATTRIBUTES.map((name) => ({ name, type: binding.TF_ATTR_BOOL, value: true }));
  try {
    // The binding reads one attribute after the other and stops at the last, which has no type: nothing is
    // executed.
    binding.executeOp('NoOp', [...named, { name: 'T' }], [], 0);
  } catch {
    return;
  }
  throw new Error(
    'tfjs-node took an attribute without a type: it is not the version that this is written for.',
  );
}
