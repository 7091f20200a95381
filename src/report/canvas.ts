import type { Mask } from './lettering.js';

/** Red, green, blue, each 0 to 255. */
export type Color = readonly [number, number, number];

export const BLACK: Color = [0, 0, 0];
export const GREY: Color = [95, 95, 95];
export const LIGHT_GREY: Color = [222, 222, 222];

/** A picture in the making: x grows to the right, y downwards. What falls outside is left out. */
export class Canvas {
  /** [height, width, 4], red, green, blue and an opaque alpha. */
  readonly pixels: Buffer;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = Buffer.alloc(width * height * 4, 255);
  }

  /** Lays `color` over the pixel; `coverage` 0 leaves it as it is, 1 replaces it. */
  blend(x: number, y: number, color: Color, coverage = 1): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const place = (y * this.width + x) * 4;
    for (let channel = 0; channel < 3; channel++) {
      const below = this.pixels[place + channel]!;
      this.pixels[place + channel] = Math.round(below + coverage * (color[channel]! - below));
    }
  }

  fillRectangle(left: number, top: number, width: number, height: number, color: Color): void {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) this.blend(x, y, color);
    }
  }

  drawMask(mask: Mask, left: number, top: number, color: Color): void {
    for (let y = 0; y < mask.height; y++) {
      for (let x = 0; x < mask.width; x++) {
        const coverage = mask.alpha[y * mask.width + x]!;
        if (coverage > 0) this.blend(left + x, top + y, color, coverage / 255);
      }
    }
  }

  async png(): Promise<Uint8Array> {
    const { Jimp, PNGColorType, PNGFilterType } = await import('jimp');
    const image = Jimp.fromBitmap({ data: this.pixels, width: this.width, height: this.height });
    // Rows of scaled-up pixels repeat the row above: with the filter that subtracts it, a file is as small as with
    // jimp's choice among all filters, in a quarter of the time. Leaving the alpha away would take longer.
    return image.getBuffer('image/png', {
      colorType: PNGColorType.COLOR_ALPHA,
      filterType: PNGFilterType.UP,
      deflateLevel: 6,
      deflateStrategy: 0,
    });
  }
}
