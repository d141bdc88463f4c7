/* SPDX-License-Identifier: MIT */
/* Randomness by address: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405). A draw is a function of the
 * key and of where it is used, so nothing is consumed in sequence. */
#ifndef TB_PHILOX_H
#define TB_PHILOX_H
#include <stddef.h>
#include <stdint.h>

#define TB_PHILOX_M0 0xD2511F53u
#define TB_PHILOX_M1 0xCD9E8D57u
#define TB_PHILOX_W0 0x9E3779B9u
#define TB_PHILOX_W1 0xBB67AE85u

/* What a word is for. The values are part of the stream: never renumber them. */
enum tb_purpose {
    TB_FOR_TREE = 1,           /* splits of the synthetic batch */
    TB_FOR_REFERENCE = 2,      /* splits of a human batch over the whole reference */
    TB_FOR_REFERENCE_MORE = 3, /* the human items that only one of generation 1 and the kept set holds */
    TB_FOR_ALIAS = 4,          /* human items picked one by one */
    TB_FOR_POISSON = 5,        /* 16-bit draws from the tables */
    TB_FOR_POISSON_TIE = 6,    /* what decides a tie of the 16 bits */
    TB_FOR_POISSON_LARGE = 7,  /* splits of the weights beyond all tables */
    TB_FOR_FIX = 8,            /* items added or removed to meet the total */
    TB_FOR_SUBSAMPLE = 9,      /* thinning of the pool, attempt = depth */
    TB_FOR_SUBSAMPLE_FIX = 10,
    TB_FOR_KEPT = 11, /* thinning of the kept human set */
    TB_FOR_KEPT_FIX = 12,
    TB_FOR_ALIAS_MORE = 13,
    TB_FOR_POISSON_HIGH = 14, /* 32-bit draws from the tables for multiples */
    TB_FOR_POISSON_HIGH_TIE = 15,
    TB_FOR_GAUSSIAN = 16,            /* statistics of a synthetic batch */
    TB_FOR_GAUSSIAN_FRESH = 17,      /* of fresh human items */
    TB_FOR_GAUSSIAN_HUMAN = 18,      /* of the human items that generation 1 and the kept set share */
    TB_FOR_GAUSSIAN_HUMAN_MORE = 19, /* of those that only one of them holds */
    TB_FOR_MIXTURE = 20,             /* items of a synthetic batch; attempt 1: how many each component has */
    TB_FOR_MIXTURE_FRESH = 21,       /* the same for fresh human items */
    TB_FOR_MIXTURE_HUMAN = 22,       /* for the human items that generation 1 and the kept set share */
    TB_FOR_MIXTURE_HUMAN_MORE = 23,  /* for those that only one of them holds */
    TB_FOR_MIXTURE_SUBSAMPLE = 24,   /* which items of the pool are drawn */
    TB_FOR_MIXTURE_KEPT = 25,        /* which of the kept set */
    TB_FOR_MIXTURE_SEED = 26,        /* seeds of a fit */
    TB_FOR_GAUSSIAN_ITEM = 27,       /* single items, of a batch that draws are made from */
    TB_FOR_GAUSSIAN_CHOICE = 28,     /* which of them are drawn */
    TB_FOR_TOTAL = 29,               /* sum of a synthetic batch */
    TB_FOR_TOTAL_FRESH = 30,         /* of fresh human items */
    TB_FOR_TOTAL_HUMAN = 31,         /* of the human items that generation 1 and the kept set share */
    TB_FOR_TOTAL_HUMAN_MORE = 32,    /* of those that only one of them holds */
    TB_FOR_WRONG = 33,               /* how many items are outside the reference */
    TB_FOR_UNIFORM = 34,             /* how many are spread over all categories alike */
    TB_FOR_UNLISTED = 35,            /* where these, or those of categories not listed, fall */
    TB_FOR_BEST = 36,                /* thinning of the items of the reward at which the best end */
    TB_FOR_BEST_FIX = 37,
    TB_FOR_POISSON_WORD = 38, /* the word that a sum of Poisson counts stands for */
    TB_FOR_LISTED = 39,       /* how many items fall to categories that are drawn by tree, not by class */
    TB_FOR_ITEM = 40,         /* draws of an item of a synthetic batch by compiled rules; see item.h */
    TB_FOR_ITEM_FRESH = 41,   /* the same for fresh human items */
    TB_FOR_ITEM_HUMAN = 42,   /* for those of generation 1 and of the kept set, which are one stream */
    TB_FOR_CRAWL = 43,        /* how many of the items kept are human */
    TB_FOR_CLEAN = 44,        /* splits of the kept human set where generation 1's items have a fault */
    TB_FOR_CLEAN_ALIAS = 45,
    TB_FOR_EVEN = 46,     /* where items fall of what a smoothed model gives to all categories alike */
    TB_FOR_REST = 47,     /* what the means of classes leave of their weights: attempt 1 how much, 0 where it falls */
    TB_FOR_DOCUMENT = 48, /* components and tokens of synthetic documents */
    TB_FOR_DOCUMENT_FRESH = 49,      /* of fresh human ones */
    TB_FOR_DOCUMENT_HUMAN = 50,      /* of the human ones that generation 1 and the kept set share */
    TB_FOR_DOCUMENT_HUMAN_MORE = 51, /* of those that only one of them holds */
    TB_FOR_DOCUMENT_SUBSAMPLE = 52,  /* which documents of the pool are drawn */
    TB_FOR_DOCUMENT_KEPT = 53,       /* which of the kept set */
    TB_FOR_BESIDE = 54,              /* where items fall of what a rule's weights have beside those of classes */
    TB_FOR_MEANS = 55,               /* 16 bits of Poisson counts of real means */
    TB_FOR_MEANS_TIE = 56,           /* the 48 that follow, where they matter */
    TB_FOR_MEANS_FIX = 57            /* items added or removed to meet the total */
};

/* Attempts count up from 0; this one is for ties. */
enum { TB_TIE_ATTEMPT = 255 };

typedef struct {
    uint64_t key;
    uint32_t generation;
    uint32_t replicate;
    uint32_t purpose; /* purpose in bits 0..7, attempt in bits 8..15, bits 32..47 of the slot above */
} tb_address_t;

static inline tb_address_t tb_at(tb_address_t a, uint32_t purpose, uint32_t attempt) {
    a.purpose = purpose | attempt << 8;
    return a;
}

/* The slots of a tree level: leaves have height 0. A reference of 1e7 categories needs 23 bits within a level. */
static inline uint32_t tb_slot(size_t height) { return (uint32_t)height << 26; }

/* Two 64-bit words at one slot. */
static inline void tb_philox(const tb_address_t *a, uint32_t slot, uint64_t word[2]) {
    uint32_t x0 = slot, x1 = a->generation, x2 = a->replicate, x3 = a->purpose;
    uint32_t k0 = (uint32_t)a->key, k1 = (uint32_t)(a->key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)TB_PHILOX_M0 * x0, p1 = (uint64_t)TB_PHILOX_M1 * x2;
        x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
        x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
        x1 = (uint32_t)p1;
        x3 = (uint32_t)p0;
        k0 += TB_PHILOX_W0;
        k1 += TB_PHILOX_W1;
    }
    word[0] = x0 | (uint64_t)x1 << 32;
    word[1] = x2 | (uint64_t)x3 << 32;
}
#endif
