// Each bound with its derivation.

#include "verdict/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mla/formats.hpp"

namespace helixcheck::bounds {
namespace {

constexpr double kUnit = 0x1p-24;       // u
constexpr double kHigherOrders = 1.01;  // see the header
constexpr double kTinyFp32 = 0x1p-149;  // smallest fp32 subnormal
constexpr double kVanishing = 104;      // exp(-104) is 0 in fp32
constexpr double kSpareScore = 2.0;     // factor on the statistical LSE tolerance

double blocks(std::int64_t n, int block) {
  return static_cast<double>((n + block - 1) / block);
}

// Roundings of a dot product or value sum of n terms: the product, those inside a block, and one
// for each block that joins the accumulator. A block of b products costs at most log2(b) roundings
// if it is added pairwise; an `extra` of 4 covers b = 8 with the product and b = 16 with exact
// blocks.
double chain(const Contract& contract, std::int64_t n) {
  return blocks(n, contract.block) + contract.extra;
}

// Rounding of the unnormalised probabilities before they meet the values.
double p_unit(const Contract& contract, Dtype dtype) {
  return contract.p_model && dtype != Dtype::fp32 ? traits(dtype).unit : 0;
}

// Probabilities below half the smallest subnormal of their format vanish: an absolute error of each
// normalised weight.
double p_floor(const Contract& contract, const AttendFacts& facts) {
  const double stored = contract.p_model ? traits(facts.dtype).min_subnormal : kTinyFp32;
  const double smallest = std::max(stored, 2 * contract.least_exp);
  return 0.5 * smallest * std::exp(facts.head.max_score - facts.head.lse);
}

// Queries or keys are zero: every score is 0 and every unnormalised weight exactly 1.
bool flat(const AttendFacts& facts) {
  return facts.head.score_scale == 0;
}

// Keys that are one softmax tile, and rescalings between tiles.
double tile_keys(const Contract& c, const AttendFacts& f) {
  return static_cast<double>(std::min<std::int64_t>(f.visible, c.tile));
}
double tile_count(const Contract& c, const AttendFacts& f) {
  return blocks(f.visible, c.tile);
}

// Relative error theta of an unnormalised weight exp(s_i - m), common to its uses in the value sum
// and in the row sum, term by term:
// - scores: the chain of q . k is off by D u_acc scale sum |q_j k_ij| <= D u_acc A at most, by
//   Cauchy-Schwarz; keys times a scale that is no power of two add 2 u A
// - exponent: scaling, subtraction of m and change of base cost 3 u (|s_i| + |m|); keys more than
//   104 below m have no weight in fp32, so |s_i| <= min(A, |m| + 104)
// - exponential: eps_exp; rescaling by exp(m_old - m_new) at most doubles it where either the
//   argument is near 0, where it is exact to u, or the older mass halves
double weight_error(const Contract& contract, const AttendFacts& facts) {
  if (flat(facts)) return 0;
  const double scale = facts.head.score_scale, top = std::abs(facts.head.max_score);
  const double scores =
      facts.exact_scores ? 0 : chain(contract, facts.width) * contract.u_acc * scale;
  const double scaling = facts.scaled_keys ? 2 * kUnit * scale : 0;
  return scores + scaling + 3 * kUnit * (top + std::min(scale, top + kVanishing)) +
         2 * contract.eps_exp + 2 * kUnit * tile_count(contract, facts);
}

// Row sum: `tile` additions inside a tile, one and a rescaling for each tile.
double sum_error(const Contract& contract, const AttendFacts& facts) {
  if (flat(facts)) return 0;  // counts up to 2^24 are exact
  return kUnit * (2 * tile_count(contract, facts) + tile_keys(contract, facts) + 8);
}

// Sound error of log(sum of weights): theta from the weights, the row sum, probabilities rounded
// before they are summed, then the logarithm and the addition of m (twice if the base changes).
double sound_lse(const Contract& contract, const AttendFacts& facts) {
  const stages::AttendHead& head = facts.head;
  double error = weight_error(contract, facts) + sum_error(contract, facts) +
                 kUnit * (std::abs(head.max_score) + 2 * std::abs(head.lse) + 4);
  if (contract.sum_from_rounded_p && !flat(facts)) {
    error += p_unit(contract, facts.dtype) +
             p_floor(contract, facts) * static_cast<double>(facts.visible);
  }
  return kHigherOrders * error;
}

// With unrelated keys the score errors average out over n_eff of them, and inside a dot product
// they add like a random walk: partial sums are of size A / sqrt(d) where the products have random
// signs, and grow to |m| where they do not (a planted key; a linear ramp has a third of the end's
// rms error sum, hence |m| / 6 at 8 sigma and factor 2). Truncation is a bias and does not average.
double statistical_lse(const Contract& contract, const AttendFacts& facts) {
  const stages::AttendHead& head = facts.head;
  const double top = std::abs(head.max_score), root_n_eff = std::sqrt(head.inv_n_eff);
  const double terms = chain(contract, facts.width);
  const double partial = head.score_scale / std::sqrt(static_cast<double>(facts.width)) + top / 6;
  double error =
      kUnit * (top + 2 * std::abs(head.lse) + 4 + std::sqrt(tile_count(contract, facts))) +
      contract.eps_exp + 8 * contract.u_acc * std::sqrt(terms) * partial * root_n_eff;
  if (contract.u_acc > kUnit) error += contract.u_acc * terms / 2 * (top + 1);
  if (contract.sum_from_rounded_p) error += 8 * 0.577 * p_unit(contract, facts.dtype) * root_n_eff;
  return kSpareScore * error;
}

// The spread of the scores under the softmax exceeds 2^-10: n / n_eff = exp(spread^2) for normal
// scores. Below that, probabilities share codes and their rounding errors are related.
bool dithered(const AttendFacts& facts) {
  return facts.independent &&
         facts.head.inv_n_eff * static_cast<double>(facts.visible) > 1 + 0x1p-20;
}

// The same for probabilities in a 16-bit format: a spread of 0.1 covers a dozen codes or more.
bool rounds_unrelated(const AttendFacts& facts) {
  return facts.independent &&
         facts.head.inv_n_eff * static_cast<double>(facts.visible) > 1 + 0.1 * 0.1;
}

}  // namespace

// Any order of summation in which at most `chain` roundings meet any product: |error| <= chain
// u_acc sum |w_i x_i|, and sum |w_i x_i| <= |w|_2 |x|_2.
double linear_factor(const Contract& contract, Dtype dtype, std::int64_t terms) {
  const bool own = dtype == Dtype::fp32 && contract.fp32_block > 0;
  const double roundings =
      own ? blocks(terms, contract.fp32_block) + contract.extra : chain(contract, terms);
  return kHigherOrders * roundings * contract.u_acc;
}

// Products below the normal range of fp32 lose at most its smallest subnormal each.
double underflow(std::int64_t terms) {
  return kTinyFp32 * static_cast<double>(terms);
}

// The sum of n squares is off by at most n u relatively (one product and n - 1 additions each), its
// square root by half of that; mean, eps, root, reciprocal and two products add 6 u at most. An
// engine that stores the normalised value first adds one rounding of the dtype.
double rms_norm_factor(const Contract& contract, Dtype dtype, std::int64_t n) {
  const double early = contract.norm_rounds_first ? traits(dtype).unit : 0;
  return kHigherOrders * (kUnit * (static_cast<double>(n) / 2 + 6) + early);
}

// x0 cos - x1 sin: both products and the sum round once (2 u each at most), the table entries are
// off by `rope_table_unit`, and an angle that is off by d turns the pair by d, at most 2. An angle
// formed in fp32 has an error of position * f * 2^-23 from its two roundings alone; fp32 tables of
// f made through exp and log were measured 4 to 6 times worse, hence 2^-20.
double rope_factor(const Contract& contract, std::int64_t position, double inv_freq,
                   double cos_scale) {
  return rope_bound(contract, cos_scale)(static_cast<double>(position) * inv_freq);
}

RopeBound rope_bound(const Contract& contract, double cos_scale) {
  const double turn = contract.rope_angle == RopeAngle::fp32 ? 0x1p-20 : 0;
  return {kHigherOrders * std::abs(cos_scale), turn, contract.rope_table_unit + 2 * kUnit};
}

// The scale, its reciprocal and the product may each be rounded to fp32. A power of two is exact.
double cache_factor(double scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5 ? 0 : kHigherOrders * 3 * kUnit;
}

double cache_value(double value, double scale) {
  const double factor = cache_factor(scale);
  return factor == 0 ? 0 : factor * std::abs(value / scale);
}

// By Cauchy-Schwarz with sum p = 1: sum p |v| <= sqrt(sum p v^2), and sum p |v - o| <= sqrt(sum p
// v^2 - o^2). The difference is known to 1e-13 of `square` only.
double ValueBound::operator()(double square, double o, double sum_abs) const {
  const double centred = std::max(0.0, square - o * o) + 4e-13 * square;
  const double p = std::min(rounded_p * std::sqrt(square), rounded_p * std::abs(o) + random_p);
  return magnitude * std::sqrt(square) + p + spread * std::sqrt(centred) + value * std::abs(o) +
         absolute * sum_abs + (square > 0 ? underflow : 0);
}

// o_j = sum w_i v_ij / sum w_i.
//   magnitude  the value sum has a rounding for each block of keys and for each rescaling of a tile
//   rounded_p  each rounded P is off by u_P (also where the row sum is taken from rounded P: its
//              share is then u_P sum p |v - o|, no more than the bound used for sum p |v|). Where
//              the scores spread over many codes of P, the errors are unrelated but for a common
//              part, at most u_P |o|. The rest is a sum of uniform errors of at most u_P p |v|,
//              whose tail is that of a normal one: sigma^2 = u_P^2 sum p^2 v^2 / 3 at most, and
//              sum p^2 v^2 <= max |v|^2 sum p^2. Values that pass the gate have a maximum of at
//              least 1.7 rms, so that 6 is 10 true standard deviations
//   spread     an error theta of w_i enters numerator and denominator: theta p_i (v_ij - o_j)
//   value      row sum and division act on the result as a whole
//   absolute   probabilities that vanish in their format
ValueBound attend_value(const Contract& contract, const AttendFacts& facts) {
  const double sums = chain(contract, facts.visible) + 4 + tile_count(contract, facts);
  ValueBound bound;
  bound.value = sum_error(contract, facts) + 4 * kUnit;
  bound.spread = weight_error(contract, facts);
  if (!(flat(facts) && facts.exact_values)) bound.magnitude = contract.u_acc * sums;
  if (facts.scaled_keys) bound.magnitude += 2 * kUnit;
  if (!(flat(facts) && facts.exact_values)) {
    bound.underflow = underflow(facts.visible) + underflow(facts.visible / contract.tile + 2);
  }
  bound.random_p = std::numeric_limits<double>::infinity();
  if (!flat(facts)) {
    bound.rounded_p = kHigherOrders * p_unit(contract, facts.dtype);
    if (rounds_unrelated(facts)) {
      bound.random_p =
          6 * bound.rounded_p * std::sqrt(facts.head.inv_n_eff / 3) * facts.head.max_abs_key;
    }
    bound.absolute = p_floor(contract, facts);
    if (contract.sum_from_rounded_p) {
      bound.value += bound.absolute * static_cast<double>(facts.visible);
    }
  }
  bound.magnitude *= kHigherOrders;
  bound.spread *= kHigherOrders;
  bound.value *= kHigherOrders;
  bound.absolute *= kHigherOrders;
  return bound;
}

// The hot key's weight is exp(s - m) with s = m: 1 up to the roundings of the exponent and of the
// exponential; it divides itself, and its rounding to the dtype gives exactly 1.
double one_hot_factor(const Contract& contract, const AttendFacts& facts) {
  return kHigherOrders *
         (6 * kUnit * std::abs(facts.head.max_score) + contract.eps_exp + 4 * kUnit);
}

double attend_lse(const Contract& contract, const AttendFacts& facts) {
  const double sound = sound_lse(contract, facts);
  return dithered(facts) ? std::min(sound, statistical_lse(contract, facts)) : sound;
}

// o = sum a_r x_r / sum a_r, a_r = exp(lse_r - M).
//   magnitude  a product, R - 1 additions, R - 1 in the denominator and the division: (2 R + 2) u
//   spread     an error of a_r is centred as in attend: 2 u for each unit of the argument (its own
//              rounding and the change of base), and two exponentials. Where an LSE is converted
//              first (log2, or m + log l), or its base changed before the difference is taken, the
//              error follows the size of the LSE instead. Below a gap of 104 the weight is 0
//   lse        weights as above (gap times weight is at most R / e), the sum, its logarithm, and
//              conversions on both sides
MergeBound merge(const Contract& contract, const MergeFacts& facts) {
  const double parts = static_cast<double>(facts.parts);
  const bool converted = facts.form != LseForm::ln || contract.merge_by_total_lse;
  const double argument =
      2 * kUnit * (std::min(facts.gap, kVanishing) + (converted ? 5 * facts.max_size : 0));
  MergeBound bound;
  bound.magnitude = (2 * parts + 2) * kUnit;
  if (contract.merge_by_total_lse) {
    bound.magnitude += 2 * kUnit * (facts.max_size + std::abs(facts.lse) + 4) + contract.eps_exp;
  }
  // Each weighted partial is stored once and added parts - 1 times, on partial sums of at most
  // sum w_r |x_r|.
  if (contract.merge_in_model_dtype) {
    bound.magnitude += std::expm1(parts * std::log1p(traits(facts.dtype).unit));
  }
  bound.spread = argument + 2 * contract.eps_exp;
  bound.underflow = underflow(2 * facts.parts);
  if (contract.merge_in_model_dtype) {
    bound.underflow += parts * traits(facts.dtype).min_subnormal;
  }
  bound.lse = contract.eps_exp + kUnit * (2 * parts + 4 + 2 * std::log(parts) + 5 * facts.max_size +
                                          2 * std::abs(facts.lse));
  bound.magnitude *= kHigherOrders;
  bound.spread *= kHigherOrders;
  bound.lse *= kHigherOrders;
  return bound;
}

// Ranks - 1 additions in any order, in fp32 or, where the transport adds codes, in the dtype.
double all_reduce_factor(const Contract& contract, Dtype dtype, std::int64_t ranks) {
  const double unit = contract.reduce_in_model_dtype ? traits(dtype).unit : kUnit;
  return kHigherOrders * std::expm1(static_cast<double>(ranks - 1) * std::log1p(unit));
}

}  // namespace helixcheck::bounds
